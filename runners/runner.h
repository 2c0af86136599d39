#ifndef KUBELET_CONFGEN_RUNNER_H
#define KUBELET_CONFGEN_RUNNER_H

#include <stddef.h>
#include "quickjs.h"

/* What the module `host` hands on from main. */
struct program {
    int argc;
    char **argv;
    /* JSON beside the bundle, not terminated. */
    const char *data;
    size_t data_length;
    /* What the process ends with; the bundle sets it. */
    int status;
};

/* Makes the module `host`; `program` must outlive the context. Returns -1 with an exception pending. */
int add_host_module(JSContext *context, struct program *program);

#endif
