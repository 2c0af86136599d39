#ifndef KUBELET_CONFGEN_RUNNER_H
#define KUBELET_CONFGEN_RUNNER_H

#include <stddef.h>
#include "quickjs.h"

/* State of main that the module `host` accesses. */
struct program {
    int argc;
    char **argv;
    /* JSON after the bundle, not NUL-terminated. */
    const char *data;
    size_t data_length;
    /* Exit status; the bundle sets it. */
    int status;
};

/* Creates the module `host`; `program` must outlive the context. Returns -1 with a pending exception on failure. */
int add_host_module(JSContext *context, struct program *program);

#endif
