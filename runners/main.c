/*
 * Runs the bundle in the slot under QuickJS. There is no std or os module, no module loader, no threads and no way to
 * start a program. A bundle can use only the module `host` (host.c).
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner.h"

/* The same constants are in src/runner/slot.ts. */
#define SLOT_SIZE 0x50000
#define SLOT_MAGIC "KUBELET-CONFGEN-SLOT\n"
#define DIGITS 8
#define HEADER (sizeof SLOT_MAGIC - 1 + 2 * DIGITS)

/* Seconds. A run takes milliseconds; a run that hangs must not block the start of the kubelet. */
#define TIME_LIMIT 30
#define MEMORY_LIMIT ((size_t)256 << 20)
#define STACK_LIMIT ((size_t)1 << 20)

/*
 * Magic, lengths of bundle and data in ASCII digits (independent of the byte order), the bundle, a NUL, the data.
 * Volatile, since it is filled after compilation: the compiler must not assume that it is empty.
 */
__attribute__((used)) static const volatile char slot[SLOT_SIZE] = SLOT_MAGIC "00000000" "00000000";

struct rejections {
    int unhandled;
    int reported;
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

static void report(JSContext *context, JSValueConst fault)
{
    const char *message = JS_ToCString(context, fault);
    fprintf(stderr, "kubelet-confgen: %s\n", message ? message : "unknown error");
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
        rejections->unhandled--;
        return;
    }
    rejections->unhandled++;
    if (!rejections->reported++)
        report(context, reason);
}

/* Returns 0 if the bundle ran to its end. */
static int run(JSContext *context, const char *bundle, size_t length, struct rejections *rejections)
{
    JSContext *faulty;
    JSValue result = JS_Eval(context, bundle, length, "kubelet-confgen", JS_EVAL_TYPE_MODULE);
    int jobs, pending;

    if (JS_IsException(result)) {
        JSValue fault = JS_GetException(context);
        report(context, fault);
        JS_FreeValue(context, fault);
        return -1;
    }
    while ((jobs = JS_ExecutePendingJob(JS_GetRuntime(context), &faulty)) > 0)
        ;
    if (jobs < 0) {
        JSValue fault = JS_GetException(faulty);
        report(faulty, fault);
        JS_FreeValue(faulty, fault);
    }
    pending = JS_PromiseState(context, result) == JS_PROMISE_PENDING;
    if (pending)
        fputs("kubelet-confgen: the program waits for a promise that is never resolved\n", stderr);
    JS_FreeValue(context, result);
    return jobs < 0 || pending || rejections->unhandled > 0 ? -1 : 0;
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
        fputs("kubelet-confgen: this runner contains no program\n", stderr);
        return 1;
    }
    alarm(TIME_LIMIT);
    /* A write to a closed pipe returns EPIPE to the bundle. */
    signal(SIGPIPE, SIG_IGN);
    runtime = JS_NewRuntime();
    context = runtime ? JS_NewContext(runtime) : NULL;
    if (!context) {
        fputs("kubelet-confgen: out of memory\n", stderr);
        return 1;
    }
    JS_SetMemoryLimit(runtime, MEMORY_LIMIT);
    JS_SetMaxStackSize(runtime, STACK_LIMIT);
    JS_SetHostPromiseRejectionTracker(runtime, on_rejection, &rejections);
    if (add_host_module(context, &program) < 0 || run(context, text + HEADER, bundle, &rejections) < 0)
        return 1;
    /* The kernel frees the memory. */
    return program.status;
}
