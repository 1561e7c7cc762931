/* An ATmega328P in simavr that runs a boot loader, with its USART on a pseudo-terminal: avr LINK LOADER.hex
 * Opening the pseudo-terminal resets the AVR, as DTR does on a board. It runs in real time until SIGTERM. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_regbit.h>

static const unsigned HZ = 16000000;
static const double START_UP = 0.065;                   /* how long a reset AVR waits before it runs, by the fuses of an Uno */
static avr_t *avr;
static int port, hears;
static volatile sig_atomic_t over;

static void stop(int signal) { (void)signal; over = 1; }

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

static void says(struct avr_irq_t *irq, uint32_t value, void *param)
{
    uint8_t byte = value;
    (void)irq, (void)param;
    if (write(port, &byte, 1) != 1)
        fprintf(stderr, "a byte was lost: nobody reads\n");
}

static void may_hear(struct avr_irq_t *irq, uint32_t value, void *param) { (void)irq, (void)value, (void)param; hears = 1; }
static void may_not_hear(struct avr_irq_t *irq, uint32_t value, void *param) { (void)irq, (void)value, (void)param; hears = 0; }

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* libsimavr's own reader stops at the start address record (type 03) that boot loaders have. */
static unsigned load(const char *path)
{
    char line[600];
    unsigned n, address, type, byte, lowest = ~0u;
    FILE *file = fopen(path, "r");
    if (!file)
        fail("the boot loader cannot be read");
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, ":%2x%4x%2x", &n, &address, &type) != 3 || type != 0)
            continue;
        for (unsigned i = 0; i < n; i++) {
            if (sscanf(line + 9 + 2 * i, "%2x", &byte) != 1 || address + i > avr->flashend)
                fail("the boot loader does not fit");
            avr->flash[address + i] = byte;
        }
        if (address < lowest)
            lowest = address;
    }
    fclose(file);
    if (lowest == ~0u)
        fail("the boot loader is empty");
    return lowest;
}

static void reset(void)
{
    avr_reset(avr);
    avr->pc = avr->reset_pc;                            /* the BOOTRST fuse */
    avr_regbit_set(avr, avr->reset_flags.extrf);        /* else Optiboot starts the application at once */
}

/* A pseudo-terminal in raw mode; its slave was opened once, so that the master can tell whether anybody has it open. */
static void open_port(const char *link)
{
    struct termios raw;
    port = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (port < 0 || grantpt(port) || unlockpt(port))
        fail("there is no pseudo-terminal");
    int slave = open(ptsname(port), O_RDWR | O_NOCTTY);
    if (slave < 0 || tcgetattr(slave, &raw))
        fail("the pseudo-terminal cannot be opened");
    cfmakeraw(&raw);
    cfsetspeed(&raw, B115200);
    tcsetattr(slave, TCSANOW, &raw);
    close(slave);
    unlink(link);
    if (symlink(ptsname(port), link))
        fail("the link cannot be made");
}

int main(int argc, char **argv)
{
    if (argc != 3)
        fail("usage: avr LINK LOADER.hex");
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    if (!(avr = avr_make_mcu_by_name("atmega328p")))
        fail("simavr has no atmega328p");
    avr_init(avr);
    avr->frequency = HZ;
    avr->log = LOG_ERROR;
    avr->reset_pc = load(argv[2]);
    avr->codeend = avr->flashend;

    uint32_t none = 0;
    const char usart = '0';
    avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS(usart), &none);
    avr_irq_t *rx = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ(usart), UART_IRQ_INPUT);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ(usart), UART_IRQ_OUTPUT), says, 0);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ(usart), UART_IRQ_OUT_XON), may_hear, 0);
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ(usart), UART_IRQ_OUT_XOFF), may_not_hear, 0);
    open_port(argv[1]);

    uint8_t heard[256];
    int have = 0, at = 0, was_open = 0, state = cpu_Running;
    avr_cycle_count_t free_at = 0, character = HZ / 115200 * 10, began_at = avr->cycle;
    double began = seconds(), runs_at = 0;
    reset();
    while (!over) {
        int is_in_reset = seconds() < runs_at;
        if (is_in_reset) {
            usleep(1000);
            began = seconds();
            began_at = avr->cycle;
        } else for (avr_cycle_count_t until = avr->cycle + HZ / 2000; avr->cycle < until && state < cpu_Done;) {
            if (at < have && hears && avr->cycle >= free_at) {
                avr_raise_irq(rx, heard[at++]);
                free_at = avr->cycle + character;
            }
            state = avr_run(avr);
        }
        struct pollfd asks = { .fd = port, .events = POLLIN };
        poll(&asks, 1, state < cpu_Done ? 0 : 1);
        int is_open = !(asks.revents & POLLHUP);
        if (is_open && !was_open) {
            reset();
            runs_at = seconds() + START_UP;
            state = avr->state = cpu_Running;
        }
        was_open = is_open;
        if (is_in_reset || runs_at > seconds()) {
            at = have = 0;                              /* nobody hears this */
            free_at = 0;
        }
        if ((asks.revents & POLLIN) && at == have) {
            ssize_t n = read(port, heard, sizeof heard);
            at = 0;
            have = n > 0 ? (int)n : 0;
        }
        double ahead = (double)(avr->cycle - began_at) / HZ - (seconds() - began);
        if (ahead > 0) {
            usleep((useconds_t)(ahead * 1e6));
        } else if (ahead < -0.25) {                     /* the machine is too slow: nothing is caught up */
            began = seconds();
            began_at = avr->cycle;
        }
    }
    unlink(argv[1]);
    return 0;
}
