/* Preloaded into a gateway: while the file named by FULL_DISK exists, no file takes a byte more. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_full(void) {
    const char *flag = getenv("FULL_DISK");
    return flag != NULL && access(flag, F_OK) == 0;
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off_t at) {
    if (is_full()) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_pwrite64, file, bytes, count, at);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
    return pwrite64(file, bytes, count, at);
}
