/*
 * Runs the bundle in its slot under QuickJS. There is no std and no os module, no module loader, no threads and no way
 * to start a program: all that a bundle can reach is the module `host` (host.c).
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner.h"

/* src/runner/slot.ts knows these. */
#define SLOT_SIZE 0x50000
#define SLOT_MAGIC "KUBELET-CONFGEN-SLOT\n"
#define DIGITS 8
#define HEADER (sizeof SLOT_MAGIC - 1 + 2 * DIGITS)

/* Seconds; a run takes milliseconds, and no start of a kubelet may wait for one that hangs. */
#define TIME_LIMIT 30
#define MEMORY_LIMIT ((size_t)256 << 20)
#define STACK_LIMIT ((size_t)1 << 20)

/*
 * Magic, lengths of bundle and data in ASCII digits (the same for each byte order), the bundle, a NUL, the data.
 * Volatile, since it is filled after compiling: the compiler must not take it for empty.
 */
__attribute__((used)) static const volatile char slot[SLOT_SIZE] = SLOT_MAGIC "00000000" "00000000";

struct rejections {
    int open;
    int told;
};

static size_t number_at(const char *digits)
{
    size_t value = 0;
    for (int i = 0; i < DIGITS; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return 0;
        value = value * 10 + (size_t)(digits[i] - '0');
    }
    return value;
}

static void tell(JSContext *context, JSValueConst fault)
{
    const char *message = JS_ToCString(context, fault);
    fprintf(stderr, "kubelet-confgen: %s\n", message ? message : "an error that cannot be shown");
    JS_FreeCString(context, message);
    if (JS_IsError(context, fault)) {
        JSValue stack = JS_GetPropertyStr(context, fault, "stack");
        const char *text = JS_IsString(stack) ? JS_ToCString(context, stack) : NULL;
        if (text)
            fputs(text, stderr);
        JS_FreeCString(context, text);
        JS_FreeValue(context, stack);
    }
}

static void on_rejection(JSContext *context, JSValueConst promise, JSValueConst reason, JS_BOOL handled, void *opaque)
{
    struct rejections *rejections = opaque;
    (void)promise;
    if (handled) {
        rejections->open--;
        return;
    }
    rejections->open++;
    if (!rejections->told++)
        tell(context, reason);
}

/* Returns 0 when the bundle ran to its end. */
static int run(JSContext *context, const char *bundle, size_t length, struct rejections *rejections)
{
    JSContext *faulty;
    JSValue result = JS_Eval(context, bundle, length, "kubelet-confgen", JS_EVAL_TYPE_MODULE);
    int jobs, pending;

    if (JS_IsException(result)) {
        JSValue fault = JS_GetException(context);
        tell(context, fault);
        JS_FreeValue(context, fault);
        return -1;
    }
    while ((jobs = JS_ExecutePendingJob(JS_GetRuntime(context), &faulty)) > 0)
        ;
    if (jobs < 0) {
        JSValue fault = JS_GetException(faulty);
        tell(faulty, fault);
        JS_FreeValue(faulty, fault);
    }
    pending = JS_PromiseState(context, result) == JS_PROMISE_PENDING;
    if (pending)
        fputs("kubelet-confgen: the program waits for something that never happens\n", stderr);
    JS_FreeValue(context, result);
    return jobs < 0 || pending || rejections->open > 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
    const char *text = (const char *)slot;
    size_t bundle = number_at(text + HEADER - 2 * DIGITS), data = number_at(text + HEADER - DIGITS);
    struct program program = { argc - 1, argv + 1, text + HEADER + bundle + 1, data, 1 };
    struct rejections rejections = { 0, 0 };
    JSRuntime *runtime;
    JSContext *context;

    if (argc < 1)
        program.argc = 0;
    if (bundle == 0 || bundle > SLOT_SIZE || data > SLOT_SIZE || HEADER + bundle + 1 + data > SLOT_SIZE) {
        fputs("kubelet-confgen: this runner holds no program\n", stderr);
        return 1;
    }
    alarm(TIME_LIMIT);
    /* A reader that went away is an error of a write, which the bundle is told. */
    signal(SIGPIPE, SIG_IGN);
    runtime = JS_NewRuntime();
    context = runtime ? JS_NewContext(runtime) : NULL;
    if (!context) {
        fputs("kubelet-confgen: no memory\n", stderr);
        return 1;
    }
    JS_SetMemoryLimit(runtime, MEMORY_LIMIT);
    JS_SetMaxStackSize(runtime, STACK_LIMIT);
    JS_SetHostPromiseRejectionTracker(runtime, on_rejection, &rejections);
    if (add_host_module(context, &program) < 0 || run(context, text + HEADER, bundle, &rejections) < 0)
        return 1;
    /* The kernel frees what is left. */
    return program.status;
}
