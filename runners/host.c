/*
 * The module `host`: thin wrappers of the system calls that the generator needs. A failure is -errno or one of the
 * codes below. src/confgen/host/system-calls.ts describes the results, src/confgen/host/quickjs.d.ts declares the
 * functions.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "runner.h"

#define TOO_LARGE (-10001)
#define NOT_TEXT (-10002)
#define NOT_REGULAR (-10003)

static JSValue failure(JSContext *context)
{
    return JS_NewInt32(context, -errno);
}

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
static int is_utf8(const unsigned char *text, size_t length)
{
    size_t i = 0;
    while (i < length) {
        unsigned char first = text[i++];
        unsigned low = 0x80, high = 0xBF;
        int more;
        if (first < 0x80)
            continue;
        else if (first >= 0xC2 && first <= 0xDF)
            more = 1;
        else if (first >= 0xE0 && first <= 0xEF)
            more = 2;
        else if (first >= 0xF0 && first <= 0xF4)
            more = 3;
        else
            return 0;
        if (first == 0xE0)
            low = 0xA0;
        if (first == 0xED)
            high = 0x9F;
        if (first == 0xF0)
            low = 0x90;
        if (first == 0xF4)
            high = 0x8F;
        for (; more > 0; more--, low = 0x80, high = 0xBF) {
            if (i >= length || text[i] < low || text[i] > high)
                return 0;
            i++;
        }
    }
    return 1;
}

/* Returns a path as a C string, or NULL with a pending exception. Free it with JS_FreeCString. */
static const char *path_of(JSContext *context, JSValueConst value)
{
    size_t length;
    const char *path = JS_ToCStringLen(context, &length, value);
    if (path && strlen(path) != length) {
        JS_FreeCString(context, path);
        JS_ThrowTypeError(context, "path contains NUL");
        return NULL;
    }
    return path;
}

static int write_all(int file, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(file, text, length);
        if (written < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        text += written;
        length -= (size_t)written;
    }
    return 0;
}

static JSValue host_lstat(JSContext *context, JSValueConst this_value, int argc, JSValueConst *argv)
{
    const char *path = path_of(context, argv[0]);
    struct stat status;
    JSValue result;
    if (!path)
        return JS_EXCEPTION;
    result = lstat(path, &status) < 0 ? failure(context) : JS_NewInt32(context, (int)status.st_mode);
    JS_FreeCString(context, path);
    return result;
}

static JSValue host_readlink(JSContext *context, JSValueConst this_value, int argc, JSValueConst *argv)
{
    char target[4096];
    const char *path = path_of(context, argv[0]);
    ssize_t length;
    JSValue result;
    if (!path)
        return JS_EXCEPTION;
    length = readlink(path, target, sizeof target);
    if (length < 0)
        result = failure(context);
    else if (!is_utf8((unsigned char *)target, (size_t)length))
        result = JS_NewInt32(context, NOT_TEXT);
    else
        result = JS_NewStringLen(context, target, (size_t)length);
    JS_FreeCString(context, path);
    return result;
}

static JSValue host_readdir(JSContext *context, JSValueConst this_value, int argc, JSValueConst *argv)
{
    const char *path = path_of(context, argv[0]);
    struct dirent *entry;
    uint32_t count = 0;
    JSValue names;
    DIR *directory;
    if (!path)
        return JS_EXCEPTION;
    directory = opendir(path);
    JS_FreeCString(context, path);
    if (!directory)
        return failure(context);
    names = JS_NewArray(context);
    for (errno = 0; !JS_IsException(names) && (entry = readdir(directory)) != NULL; errno = 0) {
        const char *name = entry->d_name;
        size_t length = strlen(name);
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || !is_utf8((const unsigned char *)name, length))
            continue;
        if (JS_SetPropertyUint32(context, names, count++, JS_NewStringLen(context, name, length)) < 0) {
            JS_FreeValue(context, names);
            names = JS_EXCEPTION;
        }
    }
    if (errno != 0 && !JS_IsException(names)) {
        JS_FreeValue(context, names);
        names = failure(context);
    }
    closedir(directory);
    return names;
}

/* Does not use the size of stat, which is 0 in /proc and 4096 in /sys. */
static JSValue read_text(JSContext *context, int file, size_t limit)
{
    size_t capacity = 0, length = 0;
    char *text = NULL, *grown;
    JSValue result;
    for (;;) {
        ssize_t got;
        if (length == capacity) {
            capacity = capacity ? capacity * 2 : 8192;
            if (capacity > limit + 1)
                capacity = limit + 1;
            grown = realloc(text, capacity);
            if (!grown) {
                free(text);
                return JS_ThrowOutOfMemory(context);
            }
            text = grown;
        }
        got = read(file, text + length, capacity - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            result = failure(context);
            break;
        }
        length += (size_t)got;
        if (length > limit) {
            result = JS_NewInt32(context, TOO_LARGE);
            break;
        }
        if (got == 0) {
            result = is_utf8((unsigned char *)text, length) ? JS_NewStringLen(context, text, length)
                                                            : JS_NewInt32(context, NOT_TEXT);
            break;
        }
    }
    free(text);
    return result;
}

static JSValue host_read(JSContext *context, JSValueConst this_value, int argc, JSValueConst *argv)
{
    const char *path;
    struct stat status;
    uint32_t limit;
    JSValue result;
    int file;
    if (JS_ToUint32(context, &limit, argv[1]) < 0 || !(path = path_of(context, argv[0])))
        return JS_EXCEPTION;
    /* Without O_NONBLOCK, opening a pipe waits for a writer. */
    file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    JS_FreeCString(context, path);
    if (file < 0)
        return failure(context);
    if (fstat(file, &status) < 0)
        result = failure(context);
    else if (!S_ISREG(status.st_mode))
        result = JS_NewInt32(context, S_ISDIR(status.st_mode) ? -EISDIR : NOT_REGULAR);
    else
        result = read_text(context, file, limit);
    close(file);
    return result;
}

static JSValue host_create(JSContext *context, JSValueConst this_value, int argc, JSValueConst *argv)
{
    const char *path = NULL, *text = NULL;
    int file, fault = 0;
    uint32_t mode;
    size_t length;
    JSValue result = JS_EXCEPTION;
    if (JS_ToUint32(context, &mode, argv[2]) < 0 || !(path = path_of(context, argv[0])) ||
        !(text = JS_ToCStringLen(context, &length, argv[1])))
        goto end;
    file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) {
        result = failure(context);
        goto end;
    }
    if (write_all(file, text, length) < 0 || fchmod(file, mode & 07777) < 0 || fsync(file) < 0)
        fault = errno;
    if (close(file) < 0 && !fault)
        fault = errno;
    if (fault)
        unlink(path);
    result = JS_NewInt32(context, -fault);
end:
    JS_FreeCString(context, path);
    JS_FreeCString(context, text);
    return result;
}

static JSValue host_rename(JSContext *context, JSValueConst this_value, int argc, JSValueConst *argv)
{
    const char *from = path_of(context, argv[0]);
    const char *to = from ? path_of(context, argv[1]) : NULL;
    JSValue result = JS_EXCEPTION;
    if (to)
        result = rename(from, to) < 0 ? failure(context) : JS_NewInt32(context, 0);
    JS_FreeCString(context, from);
    JS_FreeCString(context, to);
    return result;
}

static int sync_directory(const char *path)
{
    int fault, file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return -1;
    fault = fsync(file) < 0 ? errno : 0;
    close(file);
    errno = fault;
    return fault ? -1 : 0;
}

static int make_directory(const char *path)
{
    /* Independent of the umask. */
    return mkdir(path, 0755) < 0 || chmod(path, 0755) < 0 ? -1 : 0;
}

enum { UNLINK, MKDIR, SYNC_DIRECTORY };

static JSValue host_one_path(JSContext *context, JSValueConst this_value, int argc, JSValueConst *argv, int call)
{
    const char *path = path_of(context, argv[0]);
    JSValue result;
    int done;
    if (!path)
        return JS_EXCEPTION;
    done = call == UNLINK ? unlink(path) : call == MKDIR ? make_directory(path) : sync_directory(path);
    result = done < 0 ? failure(context) : JS_NewInt32(context, 0);
    JS_FreeCString(context, path);
    return result;
}

static JSValue host_node_name(JSContext *context, JSValueConst this_value, int argc, JSValueConst *argv)
{
    struct utsname names;
    if (uname(&names) < 0 || !is_utf8((unsigned char *)names.nodename, strlen(names.nodename)))
        return JS_NewString(context, "");
    return JS_NewString(context, names.nodename);
}

static JSValue host_pid(JSContext *context, JSValueConst this_value, int argc, JSValueConst *argv)
{
    return JS_NewInt32(context, (int)getpid());
}

static JSValue host_put(JSContext *context, JSValueConst this_value, int argc, JSValueConst *argv)
{
    const char *text;
    size_t length;
    JSValue result;
    int file;
    if (JS_ToInt32(context, &file, argv[0]) < 0 || !(text = JS_ToCStringLen(context, &length, argv[1])))
        return JS_EXCEPTION;
    result = write_all(file, text, length) < 0 ? failure(context) : JS_NewInt32(context, 0);
    JS_FreeCString(context, text);
    return result;
}

static JSValue host_arguments(JSContext *context, JSValueConst this_value, int argc, JSValueConst *argv)
{
    const struct program *program = JS_GetContextOpaque(context);
    JSValue words = JS_NewArray(context);
    for (int i = 0; i < program->argc && !JS_IsException(words); i++) {
        if (JS_SetPropertyUint32(context, words, (uint32_t)i, JS_NewString(context, program->argv[i])) < 0) {
            JS_FreeValue(context, words);
            return JS_EXCEPTION;
        }
    }
    return words;
}

static JSValue host_data(JSContext *context, JSValueConst this_value, int argc, JSValueConst *argv)
{
    const struct program *program = JS_GetContextOpaque(context);
    return JS_NewStringLen(context, program->data, program->data_length);
}

static JSValue host_end_with(JSContext *context, JSValueConst this_value, int argc, JSValueConst *argv)
{
    struct program *program = JS_GetContextOpaque(context);
    return JS_ToInt32(context, &program->status, argv[0]) < 0 ? JS_EXCEPTION : JS_UNDEFINED;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("lstat", 1, host_lstat),
    JS_CFUNC_DEF("readlink", 1, host_readlink),
    JS_CFUNC_DEF("readdir", 1, host_readdir),
    JS_CFUNC_DEF("read", 2, host_read),
    JS_CFUNC_DEF("create", 3, host_create),
    JS_CFUNC_DEF("rename", 2, host_rename),
    JS_CFUNC_MAGIC_DEF("unlink", 1, host_one_path, UNLINK),
    JS_CFUNC_MAGIC_DEF("mkdir", 1, host_one_path, MKDIR),
    JS_CFUNC_MAGIC_DEF("syncDirectory", 1, host_one_path, SYNC_DIRECTORY),
    JS_CFUNC_DEF("nodeName", 0, host_node_name),
    JS_CFUNC_DEF("pid", 0, host_pid),
    JS_CFUNC_DEF("put", 2, host_put),
    JS_CFUNC_DEF("words", 0, host_arguments),
    JS_CFUNC_DEF("data", 0, host_data),
    JS_CFUNC_DEF("endWith", 1, host_end_with),
};

#define COUNT ((int)(sizeof functions / sizeof functions[0]))

static int fill(JSContext *context, JSModuleDef *module)
{
    return JS_SetModuleExportList(context, module, functions, COUNT);
}

int add_host_module(JSContext *context, struct program *program)
{
    JSModuleDef *module = JS_NewCModule(context, "host", fill);
    JS_SetContextOpaque(context, program);
    return module ? JS_AddModuleExportList(context, module, functions, COUNT) : -1;
}
