/* What a pseudo-terminal lacks, preloaded into the program that opens it: modem lines, and a character format that is remembered.
   DTR loops to DSR and CD, RTS to CTS. Each change is a line in $LINES_LOG: "FORMAT=8E1", "DTR=1 RTS=0". One port a process. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define FORMAT (CSIZE | PARENB | PARODD | CSTOPB)

/* struct termios2 of the kernel, which clashes with the C library's header. */
struct kernel_termios {
    tcflag_t iflag, oflag, cflag, lflag;
    cc_t line, cc[19];
    speed_t ispeed, ospeed;
};
#define GET _IOR('T', 0x2A, struct kernel_termios)
#define SET _IOW('T', 0x2B, struct kernel_termios)
#define SET_DRAINED _IOW('T', 0x2C, struct kernel_termios)
#define SET_FLUSHED _IOW('T', 0x2D, struct kernel_termios)

static int lines;
static int remembered;
static tcflag_t format;

static int is_pty(int fd) {
    char name[64];
    return ttyname_r(fd, name, sizeof name) == 0 && strncmp(name, "/dev/pts/", 9) == 0;
}

static void note(const char *what) {
    const char *path = getenv("LINES_LOG");
    int log = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
    if (log < 0)
        return;
    if (write(log, what, strlen(what)) < 0) {
        /* nobody to tell */
    }
    close(log);
}

static void keep_lines(int wanted) {
    char text[32];
    wanted &= TIOCM_DTR | TIOCM_RTS;
    if (wanted == lines)
        return;
    lines = wanted;
    snprintf(text, sizeof text, "DTR=%d RTS=%d\n", !!(lines & TIOCM_DTR), !!(lines & TIOCM_RTS));
    note(text);
}

static void keep_format(tcflag_t cflag) {
    char text[32];
    tcflag_t wanted = cflag & FORMAT;
    if (remembered && wanted == format)
        return;
    remembered = 1;
    format = wanted;
    char parity = !(format & PARENB) ? 'N' : format & PARODD ? 'O' : 'E';
    snprintf(text, sizeof text, "FORMAT=%d%c%d\n", 5 + (int)((format & CSIZE) >> 4), parity, format & CSTOPB ? 2 : 1);
    note(text);
}

static tcflag_t with_format(tcflag_t cflag) {
    return remembered ? (cflag & ~(tcflag_t)FORMAT) | format : cflag;
}

int tcsetattr(int fd, int when, const struct termios *wanted) {
    static int (*real)(int, int, const struct termios *);
    if (!real)
        real = dlsym(RTLD_NEXT, "tcsetattr");
    int done = real(fd, when, wanted);
    if (!is_pty(fd))
        return done;
    /* The C library compares what it asked with what the kernel kept, and a pseudo-terminal always keeps 8N. */
    if (done != 0 && errno == EINVAL)
        done = 0;
    if (done == 0)
        keep_format(wanted->c_cflag);
    return done;
}

int tcgetattr(int fd, struct termios *found) {
    static int (*real)(int, struct termios *);
    if (!real)
        real = dlsym(RTLD_NEXT, "tcgetattr");
    int done = real(fd, found);
    if (done == 0 && is_pty(fd))
        found->c_cflag = with_format(found->c_cflag);
    return done;
}

int ioctl(int fd, unsigned long request, ...) {
    static int (*real)(int, unsigned long, ...);
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (!real)
        real = dlsym(RTLD_NEXT, "ioctl");
    int done = real(fd, request, argument);
    if (done == 0) {
        struct kernel_termios *modes = argument;
        if ((request == SET || request == SET_DRAINED || request == SET_FLUSHED) && is_pty(fd))
            keep_format(modes->cflag);
        if (request == GET && is_pty(fd))
            modes->cflag = with_format(modes->cflag);
        return done;
    }
    int failure = errno;
    if ((failure == ENOTTY || failure == EINVAL) && is_pty(fd)) {
        int *bits = argument;
        switch (request) {
        case TIOCMGET:
            *bits = lines | (lines & TIOCM_RTS ? TIOCM_CTS : 0) | (lines & TIOCM_DTR ? TIOCM_DSR | TIOCM_CAR : 0);
            return 0;
        case TIOCMSET:
            keep_lines(*bits);
            return 0;
        case TIOCMBIS:
            keep_lines(lines | *bits);
            return 0;
        case TIOCMBIC:
            keep_lines(lines & ~*bits);
            return 0;
        case TIOCGICOUNT:
            memset(argument, 0, sizeof(struct serial_icounter_struct));
            return 0;
        }
    }
    errno = failure;
    return done;
}
