/* What the kernel's driver gives for the emulated FT232R, without hsdiag: the check of the emulator itself.
 *
 *   probe RATE FORMAT MILLISECONDS      prints "bytes N marked N longest-run N frame N parity N brk N text N"
 *
 * Marked are bytes with an error mark (PARMRK); the longest run tells whether whole packets are marked; the counters are the
 * driver's own (TIOCGICOUNT); text counts printable characters, CR and LF.
 */
#define _GNU_SOURCE
#include <asm/termbits.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static long milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int main(int count, char **arguments)
{
    if (count != 4) { fprintf(stderr, "usage: probe RATE FORMAT MILLISECONDS\n"); return 2; }
    int tty = open("/dev/ttyUSB0", O_RDWR | O_NOCTTY | O_NONBLOCK);
    struct termios2 t;
    if (tty < 0 || ioctl(tty, TCGETS2, &t)) { perror("/dev/ttyUSB0"); return 1; }
    t.c_iflag = INPCK | PARMRK;
    t.c_oflag = t.c_lflag = 0;
    t.c_cflag = BOTHER | CREAD | CLOCAL | (arguments[2][0] == '7' ? CS7 : CS8);
    if (arguments[2][1] == 'E') t.c_cflag |= PARENB;
    if (arguments[2][1] == 'O') t.c_cflag |= PARENB | PARODD;
    t.c_ispeed = t.c_ospeed = atoi(arguments[1]);
    if (ioctl(tty, TCSETS2, &t)) { perror("settings"); return 1; }
    usleep(100000);
    ioctl(tty, TCFLSH, TCIFLUSH);
    struct serial_icounter_struct before = { 0 }, after = { 0 };
    ioctl(tty, TIOCGICOUNT, &before);
    static uint8_t got[1 << 20];
    size_t n = 0;
    long until = milliseconds() + atol(arguments[3]);
    for (long left; (left = until - milliseconds()) > 0 && n < sizeof got;) {
        struct pollfd p = { .fd = tty, .events = POLLIN };
        if (poll(&p, 1, left) <= 0) break;
        ssize_t r = read(tty, got + n, sizeof got - n);
        if (r <= 0) break;
        n += r;
    }
    ioctl(tty, TIOCGICOUNT, &after);
    long bytes = 0, marked = 0, run = 0, longest = 0, text = 0;
    for (size_t i = 0; i < n; i++, bytes++) {
        int bad = 0;
        if (got[i] == 0xff && i + 1 < n) {
            if (got[i + 1] == 0 && i + 2 < n) { bad = 1; i += 2; } else i++;
        }
        run = bad ? run + 1 : 0;
        marked += bad;
        if (run > longest) longest = run;
        text += (got[i] >= 0x20 && got[i] < 0x7f) || got[i] == '\r' || got[i] == '\n';
    }
    printf("bytes %ld marked %ld longest-run %ld frame %d parity %d brk %d text %ld\n", bytes, marked, longest, after.frame - before.frame,
           after.parity - before.parity, after.brk - before.brk, text);
    return 0;
}
