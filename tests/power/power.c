/*
 * A stand-in of a power supply that may fail: what of a folder would be on disk after a loss of power.
 *
 * Preloaded into a process, it takes the place of `fsync` and `fdatasync`. A file's content counts as on disk as of the last
 * time it was synced, its name as of the last time the folder it is in was. Nothing else counts: what was written, made,
 * renamed or removed and not synced afterwards is as if it had not been done. That is less than file systems keep in truth.
 *
 * TOWPATH_POWER_WATCHED names the folder, TOWPATH_POWER_KEPT the one in which this is kept: `data/INODE` has the content of a
 * file, `folders/INODE` the entries of a folder, a line each: inode, `d` or `f`, name.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

/* An inode that is held open is not given to another file: what was kept of one is never taken for another's. */
static void hold(int fd) {
    (void)fcntl(fd, F_DUPFD_CLOEXEC, 512);
}

static void put_in_place(const char *kept, const char *kind, unsigned long inode, const char *new) {
    char place[4096];
    snprintf(place, sizeof place, "%s/%s/%lu", kept, kind, inode);
    if (rename(new, place) != 0) abort();
}

static void keep_file(int fd, const char *kept, unsigned long inode, const char *new) {
    static char piece[1 << 16];
    int copy = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (copy < 0) abort();
    off_t at = 0;
    ssize_t got;
    /* A file that is open for writing alone is read by its other name. */
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    int source = open(self, O_RDONLY | O_CLOEXEC);
    if (source < 0) abort();
    while ((got = pread(source, piece, sizeof piece, at)) > 0) {
        if (write(copy, piece, (size_t)got) != got) abort();
        at += got;
    }
    close(source);
    close(copy);
    put_in_place(kept, "data", inode, new);
}

static void keep_folder(const char *path, const char *kept, unsigned long inode, const char *new) {
    FILE *list = fopen(new, "we");
    DIR *folder = opendir(path);
    if (!list || !folder) abort();
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        fprintf(list, "%lu %c %s\n", (unsigned long)entry->d_ino, entry->d_type == DT_DIR ? 'd' : 'f', entry->d_name);
    }
    closedir(folder);
    if (fclose(list) != 0) abort();
    put_in_place(kept, "folders", inode, new);
}

static int sync_to(int fd) {
    const char *watched = getenv("TOWPATH_POWER_WATCHED"), *kept = getenv("TOWPATH_POWER_KEPT");
    char self[64], path[4096], new[4096];
    struct stat is;
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(self, path, sizeof path - 1);
    if (!watched || !kept || length < 0 || fstat(fd, &is) != 0) return 0;
    path[length] = 0;
    if (strncmp(path, watched, strlen(watched)) != 0) return 0;
    pthread_mutex_lock(&turn);
    snprintf(new, sizeof new, "%s/new", kept);
    hold(fd);
    if (S_ISDIR(is.st_mode)) keep_folder(path, kept, (unsigned long)is.st_ino, new);
    else if (S_ISREG(is.st_mode)) keep_file(fd, kept, (unsigned long)is.st_ino, new);
    pthread_mutex_unlock(&turn);
    return 0;
}

int fsync(int fd) { return sync_to(fd); }
int fdatasync(int fd) { return sync_to(fd); }
