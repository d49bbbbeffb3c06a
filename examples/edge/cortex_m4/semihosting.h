/*
 * Files of the computer that a debugger or an emulator runs on (ARM, "Semihosting for AArch32 and
 * AArch64"): a number of an operation and a block of arguments, then a breakpoint that asks for it.
 */
#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum host_operation { SYS_OPEN = 0x01, SYS_WRITE = 0x05, SYS_READ = 0x06, SYS_EXIT_EXTENDED = 0x20 };
enum host_mode { HOST_READ = 1, HOST_WRITE = 5 }; /* "rb" and "wb" */

static inline int host_call(enum host_operation operation, const uintptr_t *arguments)
{
    register uintptr_t r0 __asm__("r0") = (uintptr_t)operation;
    register const uintptr_t *r1 __asm__("r1") = arguments;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return (int)r0;
}

/* A handle, or -1. */
static inline int host_open(const char *name, enum host_mode mode)
{
    const uintptr_t arguments[] = {(uintptr_t)name, (uintptr_t)mode, strlen(name)};
    return host_call(SYS_OPEN, arguments);
}

/* How many bytes were not read: 0 where all were. */
static inline int host_read(int handle, void *bytes, size_t size)
{
    const uintptr_t arguments[] = {(uintptr_t)handle, (uintptr_t)bytes, size};
    return host_call(SYS_READ, arguments);
}

/* How many bytes were not written: 0 where all were. */
static inline int host_write(int handle, const void *bytes, size_t size)
{
    const uintptr_t arguments[] = {(uintptr_t)handle, (uintptr_t)bytes, size};
    return host_call(SYS_WRITE, arguments);
}

/* Ends the program, and the emulator with this exit status. */
static inline void host_exit(int status)
{
    const uintptr_t application_exit = 0x20026;
    const uintptr_t arguments[] = {application_exit, (uintptr_t)status};
    host_call(SYS_EXIT_EXTENDED, arguments);
    for (;;) {
    }
}

#endif
