/* Preloaded into a gateway: while the file named by BROKEN_SYNC exists, syncing a WAL fails. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_broken(int file) {
    const char *flag = getenv("BROKEN_SYNC");
    char link[64], path[4096];
    ssize_t length;
    if (flag == NULL || access(flag, F_OK) != 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    length = readlink(link, path, sizeof path);
    return length > 4 && memcmp(path + length - 4, "-wal", 4) == 0;
}

static int sync_with(long call, int file) {
    if (is_broken(file)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(call, file);
}

int fdatasync(int file) { return sync_with(SYS_fdatasync, file); }
int fsync(int file) { return sync_with(SYS_fsync, file); }
