/* An FT232R on a virtual USB port (USB/IP to the kernel's vhci-hcd), with a far end that talks on its line.
 *
 * The kernel's own ftdi_sio driver serves it as /dev/ttyUSB0. As in the real chip, received characters gather in a FIFO until 62
 * are there or the latency timer (16 ms unless the host sets another) runs out, and the line status that goes ahead of a packet is
 * that of all its characters together: which of them was bad cannot be told.
 *
 *   ft232r [baud=57600] [format=8N1|8E1|8O1|7E1] [say=text|mbus|nothing] [spoil=none|framing|parity|break] [every=MS]
 *
 * Stays until it is killed; the device is unplugged then. Needs the modules vhci-hcd and ftdi_sio.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- the far end: what is on the line at any moment ---- */

enum say { TEXT, MBUS, NOTHING };
enum spoil { CLEAN, FRAMING, PARITY, BREAK };

static struct { double baud; int bits; char parity; enum say say; enum spoil spoil; double every; } far_end = { 57600, 8, 'N', TEXT, CLEAN, 0.1 };

struct message { long number; int levels; uint8_t level[16384]; };

static void put(struct message *m, int level, int bits) { while (bits-- && m->levels < (int)sizeof m->level) m->level[m->levels++] = level; }

static void put_character(struct message *m, unsigned value, enum spoil spoil)
{
    int ones = 0;
    put(m, 0, 1);
    for (int i = 0; i < far_end.bits; i++) { put(m, value >> i & 1, 1); ones += value >> i & 1; }
    if (far_end.parity != 'N') put(m, (ones & 1) ^ (far_end.parity == 'O') ^ (spoil == PARITY), 1);
    if (spoil == FRAMING) { put(m, 0, 1); put(m, 1, 2); } else put(m, 1, 1);
}

static int mbus_frame(long number, uint8_t *out)
{
    int n = 0;
    if (number % 3 == 0) {                                   /* short frame: REQ_UD2 to address 5 */
        uint8_t c = number & 1 ? 0x7b : 0x5b;
        out[n++] = 0x10; out[n++] = c; out[n++] = 5; out[n++] = c + 5; out[n++] = 0x16;
        return n;
    }
    if (number % 3 == 2) { out[n++] = 0xe5; return n; }      /* single character */
    uint8_t body[] = { 0x08, 5, 0x72, 0x78, 0x56, 0x34, 0x12, 0x24, 0x40, 1, 7, number & 0xff, 0, 0, 0,
                       0x0c, 0x13, 0x27, number & 0x0f, 0x70, 0x00 };   /* RSP_UD: fixed header, one volume record */
    out[n++] = 0x68; out[n++] = sizeof body; out[n++] = sizeof body; out[n++] = 0x68;
    uint8_t sum = 0;
    for (unsigned i = 0; i < sizeof body; i++) { out[n++] = body[i]; sum += body[i]; }
    out[n++] = sum; out[n++] = 0x16;
    return n;
}

/* Message `number` of the far end as levels, one a bit; the last ones made are kept. */
static const struct message *message(long number)
{
    static struct message kept[2];
    struct message *m = &kept[number & 1];
    if (m->number == number && m->levels) return m;
    m->number = number; m->levels = 0;
    uint8_t text[256];
    int n = 0;
    if (far_end.say == TEXT)
        n = snprintf((char *)text, sizeof text, "[%8ld.%03ld] eth0: link up, %ld Mbps, full duplex; queue %ld\r\n", number / 10, number * 37 % 1000, 10 * (number % 9 + 1), number % 16);
    else if (far_end.say == MBUS) n = mbus_frame(number, text);
    for (int i = 0; i < n; i++) put_character(m, text[i], i == n / 2 ? far_end.spoil : CLEAN);
    if (far_end.spoil == BREAK && n) { put(m, 1, 20); put(m, 0, 40); }
    put(m, 1, 1);
    return m;
}

static int level(double t)
{
    if (t < 0) return 1;
    long number = (long)(t / far_end.every);
    const struct message *m = message(number);
    long bit = (long)((t - number * far_end.every) * far_end.baud);
    return bit < m->levels ? m->level[bit] : 1;
}

/* The next instant from `t` on, before `until`, at which the line is at `wanted`; `until` if there is none. */
static double next_level(double t, double until, int wanted)
{
    while (t < until && level(t) != wanted) {
        long number = (long)(t / far_end.every);
        double begin = number * far_end.every;
        long bit = (long)((t - begin) * far_end.baud);
        double next = bit >= message(number)->levels ? begin + far_end.every : begin + (bit + 1) / far_end.baud;
        if (next > begin + far_end.every) next = begin + far_end.every;
        t = next > t ? next + 1e-9 : t + 1e-7;
    }
    return t < until ? t : until;
}

/* ---- the chip: a receiver at the host's rate and format, a FIFO, packets ---- */

enum { OE = 0x02, PE = 0x04, FE = 0x08, BI = 0x10, THRE_TEMT = 0x60, PACKET = 62, FIFO = 256 };

static struct { double baud; int bits; char parity; double latency; double heard_until; } chip = { 9600, 8, 'N', 0.016, 0 };
static struct { uint8_t value, status; } fifo[FIFO];
static int waiting;
static uint8_t lost;                                         /* OE, until told */
static uint8_t modem = 0x01 | 0x30;                          /* full-speed mark, CTS and DSR on */

static void received(uint8_t value, uint8_t status)
{
    if (waiting == FIFO) { lost = OE; return; }
    fifo[waiting].value = value;
    fifo[waiting++].status = status;
}

static double now(void)
{
    static struct timespec zero;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    if (!zero.tv_sec) zero = t;
    return (double)(t.tv_sec - zero.tv_sec) + (t.tv_nsec - zero.tv_nsec) / 1e9;
}

/* Hears the line up to now. A start bit is looked for 16 times a bit, each bit sampled in its middle. */
static void hear(double until)
{
    double bit = 1 / chip.baud;
    int with_parity = chip.parity != 'N';
    double character = (chip.bits + with_parity + 1.6) * bit;
    for (;;) {
        double t = next_level(chip.heard_until, until, 1);   /* after a framing error or break: wait for mark first */
        double edge = next_level(t, until, 0);
        if (edge + character > until) {
            if (edge >= until && t > chip.heard_until) chip.heard_until = t < until ? t : chip.heard_until;
            return;
        }
        double start = ceil(edge / (bit / 16)) * (bit / 16);
        if (level(start + bit / 2)) { chip.heard_until = start + bit / 2; continue; }   /* no start bit */
        unsigned value = 0, ones = 0;
        for (int i = 0; i < chip.bits; i++) {
            unsigned v = level(start + (1.5 + i) * bit);
            value |= v << i;
            ones += v;
        }
        int parity_bit = with_parity ? level(start + (1.5 + chip.bits) * bit) : 0;
        int stop = level(start + (1.5 + chip.bits + with_parity) * bit);
        uint8_t status = 0;
        switch (chip.parity) {
        case 'E': if ((ones + parity_bit) & 1) status = PE; break;
        case 'O': if (!((ones + parity_bit) & 1)) status = PE; break;
        case 'M': if (!parity_bit) status = PE; break;
        case 'S': if (parity_bit) status = PE; break;
        }
        if (!stop) status = value == 0 && !parity_bit ? BI | FE : status | FE;
        received(value, status);
        chip.heard_until = start + (1.5 + chip.bits + with_parity) * bit;
    }
}

/* Characters for the next packet: as many as are due, up to the end of a break; 0 while the latency timer runs. */
static int due(double since_last)
{
    for (int i = 0; i < waiting && i < PACKET; i++)
        if (fifo[i].status & BI) return i + 1;
    if (waiting >= PACKET) return PACKET;
    return since_last >= chip.latency ? waiting : 0;
}

/* ---- USB: descriptors and requests ---- */

static const uint8_t device_descriptor[18] = { 18, 1, 0x00, 0x02, 0, 0, 0, 8, 0x03, 0x04, 0x01, 0x60, 0x00, 0x06, 1, 2, 3, 1 };
static const uint8_t configuration[32] = {
    9, 2, 32, 0, 1, 1, 0, 0xa0, 45, 9, 4, 0, 0, 2, 0xff, 0xff, 0xff, 2, 7, 5, 0x81, 2, 64, 0, 0, 7, 5, 0x02, 2, 64, 0, 0,
};
static const char *const text_of[] = { "", "FTDI", "FT232R USB UART", "HSDIAG01" };

static int text_descriptor(unsigned which, uint8_t *out)
{
    int n = 2;
    if (which == 0) { out[n++] = 9; out[n++] = 4; }          /* English */
    else for (const char *p = text_of[which]; *p; p++) { out[n++] = *p; out[n++] = 0; }
    out[0] = n; out[1] = 3;
    return n;
}

static double rate_of(unsigned divisor, unsigned eighths_code)
{
    static const double eighths[8] = { 0, .5, .25, .125, .375, .625, .75, .875 };
    if (eighths_code == 0 && divisor < 2) return divisor ? 2e6 : 3e6;
    return 3e6 / (divisor + eighths[eighths_code]);
}

/* A control request: the length of the answer in `out`, or -1 for a stall. */
static int control(const uint8_t *setup, uint8_t *out)
{
    unsigned type = setup[0], request = setup[1], value = setup[2] | setup[3] << 8, index = setup[4] | setup[5] << 8;
    int length = setup[6] | setup[7] << 8, n = 0;
    if (type == 0x80 && request == 6) {
        if (value >> 8 == 1) memcpy(out, device_descriptor, n = sizeof device_descriptor);
        else if (value >> 8 == 2) memcpy(out, configuration, n = sizeof configuration);
        else if (value >> 8 == 3 && (value & 0xff) < 4) n = text_descriptor(value & 0xff, out);
        else return -1;
    } else if ((type & 0x60) == 0) {                         /* other standard requests: all state is zero */
        if (type & 0x80) { memset(out, 0, 2); n = length < 2 ? length : 2; }
    } else if (type == 0x40) {
        switch (request) {
        case 0: if (value != 2) waiting = 0, lost = 0; break;               /* reset, purge what was received */
        case 3: chip.baud = rate_of(value & 0x3fff, value >> 14 | (index & 1) << 2); fprintf(stderr, "ft232r: %.1f baud\n", chip.baud); break;
        case 4: chip.bits = (value & 0xff) == 7 ? 7 : 8; chip.parity = "NOEMS???"[value >> 8 & 7];
                fprintf(stderr, "ft232r: %d%c\n", chip.bits, chip.parity); break;
        case 9: chip.latency = (value & 0xff) / 1000.0; break;
        }
    } else if (type == 0xc0) {
        if (request == 5) { out[0] = modem; out[1] = THRE_TEMT; n = 2; }
        else if (request == 10) { out[0] = (uint8_t)lround(chip.latency * 1000); n = 1; }
        else { out[0] = out[1] = 0xff; n = 2; }              /* an empty EEPROM */
    } else return -1;
    return n < length ? n : length;
}

/* ---- USB/IP: what the virtual host controller speaks ---- */

enum { SUBMIT = 1, UNLINK = 2, SUBMIT_ANSWER = 3, UNLINK_ANSWER = 4 };

static uint32_t pending[64];                                 /* IN requests that wait for characters */
static int pendings;

static int read_all(int fd, void *to, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t r = read(fd, (char *)to + got, n - got);
        if (r <= 0) return -1;
        got += r;
    }
    return 0;
}

static void answer(int fd, uint32_t what, uint32_t seq, int status, const uint8_t *data, int length, int with_data)
{
    uint8_t out[48 + 1024] = { 0 };
    uint32_t head[12] = { htonl(what), htonl(seq), 0, 0, 0, htonl(status), htonl(length) };
    memcpy(out, head, sizeof head);
    int n = 48;
    if (with_data && length > 0) { memcpy(out + 48, data, length); n += length; }
    if (write(fd, out, n) != n) { perror("ft232r: usbip"); exit(1); }
}

static void drop_pending(int i) { memmove(pending + i, pending + i + 1, (--pendings - i) * sizeof *pending); }

static void request(int fd)
{
    static uint8_t data[65536];
    uint32_t head[12];
    if (read_all(fd, head, sizeof head)) exit(0);
    uint32_t what = ntohl(head[0]), seq = ntohl(head[1]), in = ntohl(head[3]), endpoint = ntohl(head[4]), length = ntohl(head[6]);
    if (what == UNLINK) {
        int found = 0;
        for (int i = 0; i < pendings && !found; i++)
            if (pending[i] == ntohl(head[5])) { drop_pending(i); found = 1; }
        answer(fd, UNLINK_ANSWER, seq, found ? -ECONNRESET : 0, NULL, 0, 0);
        return;
    }
    if (!in && (length > sizeof data || read_all(fd, data, length))) exit(1);
    if (endpoint == 0) {
        int n = control((const uint8_t *)(head + 10), data);
        answer(fd, SUBMIT_ANSWER, seq, n < 0 ? -EPIPE : 0, data, n < 0 ? 0 : in ? n : (int)length, in);
    } else if (in) {
        if (pendings < 64) pending[pendings++] = seq;
    } else answer(fd, SUBMIT_ANSWER, seq, 0, NULL, length, 0);   /* the far end only talks */
}

static void serve(int fd)
{
    double last = 0;
    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        poll(&p, 1, 1);
        if (p.revents) request(fd);
        double t = now();
        hear(t);
        while (pendings) {
            int n = due(t - last), idle = t - last >= chip.latency;
            if (!n && !idle) break;
            uint8_t packet[2 + PACKET] = { modem, THRE_TEMT | lost };
            for (int i = 0; i < n; i++) { packet[1] |= fifo[i].status; packet[2 + i] = fifo[i].value; }
            if (n) lost = 0;
            memmove(fifo, fifo + n, (waiting -= n) * sizeof *fifo);
            answer(fd, SUBMIT_ANSWER, pending[0], 0, packet, 2 + n, 1);
            drop_pending(0);
            last = t;
        }
    }
}

static void argument(const char *text)
{
    const char *value = strchr(text, '=');
    size_t key = value ? (size_t)(value - text) : 0;
    #define KEY(name) (key == sizeof name - 1 && !strncmp(text, name, key))
    value = value ? value + 1 : "";
    if (KEY("baud") && atof(value) >= 50) far_end.baud = atof(value);
    else if (KEY("every") && atof(value) >= 5) far_end.every = atof(value) / 1000;
    else if (KEY("format") && (value[0] == '7' || value[0] == '8') && value[1] && strchr("NEO", value[1]) && !strcmp(value + 2, "1")) {
        far_end.bits = value[0] - '0'; far_end.parity = value[1];
    } else if (KEY("say") && !strcmp(value, "text")) far_end.say = TEXT;
    else if (KEY("say") && !strcmp(value, "mbus")) far_end.say = MBUS;
    else if (KEY("say") && !strcmp(value, "nothing")) far_end.say = NOTHING;
    else if (KEY("spoil") && !strcmp(value, "none")) far_end.spoil = CLEAN;
    else if (KEY("spoil") && !strcmp(value, "framing")) far_end.spoil = FRAMING;
    else if (KEY("spoil") && !strcmp(value, "parity")) far_end.spoil = PARITY;
    else if (KEY("spoil") && !strcmp(value, "break")) far_end.spoil = BREAK;
    else { fprintf(stderr, "ft232r: \"%s\" is not understood\n", text); exit(2); }
}

int main(int count, char **arguments)
{
    for (int i = 1; i < count; i++) argument(arguments[i]);
    int ends[2], attach = open("/sys/devices/platform/vhci_hcd.0/attach", O_WRONLY);
    if (attach < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) { perror("ft232r: vhci_hcd"); return 1; }
    char line[64];                                           /* port 0, socket, device 1 on bus 1, 2: full speed */
    int n = snprintf(line, sizeof line, "0 %d 65537 2", ends[0]);
    if (write(attach, line, n) != n) { perror("ft232r: attach"); return 1; }
    close(attach);
    close(ends[0]);                                          /* the kernel holds its end */
    serve(ends[1]);
}
