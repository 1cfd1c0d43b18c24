/*
 * link NAMESPACE_A NAMESPACE_B DEVICE SEED: an IP link between two network namespaces, in user space.
 *
 * Each namespace gets a tun device of that name. What is written into one is read here, waits as long as a real link would
 * take it, and is written into the other. For each direction:
 *
 *   a packet is lost, with a probability; else
 *   it waits for those before it at the rate of the link (serialisation); what would wait behind more than `queue` bytes is
 *   dropped, as a router with a short buffer does; then
 *   it travels for `delay`; with a probability for `late` longer, so that those behind it overtake it.
 *
 * Commands, one in a line on stdin, each answered with a line on stdout:
 *   set DELAY_US RATE_BIT_PER_S LOSS_PPM LATE_PPM LATE_US QUEUE_BYTES   both directions from now on; rate 0 = no limit
 *   cut                                                                 everything is lost, what is under way too
 *   restore
 *   count      forwarded, lost, dropped for lack of room: of A to B, then of B to A
 * It ends when stdin does, so it never outlives the process that started it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000LL
/* Packets under way in one direction: 150 ms of 1 Gbit/s in packets of 1,500 bytes are 12,500. */
#define MAX_UNDER_WAY 65536
/* Packets taken from one device before the others have their turn. */
#define MAX_BATCH 64
/* The largest IP packet. */
#define MAX_PACKET_BYTES 65536
/* A packet may leave this much early: a timer for less costs more than it brings. */
#define SLACK_NS 20000

struct packet {
  int64_t leaves_ns;
  int length;
  unsigned char *bytes;
};

/* In the order of `leaves_ns`: all packets of a line wait equally long. */
struct line {
  struct packet ring[MAX_UNDER_WAY];
  uint32_t first, next;
};

struct direction {
  int from, to;
  struct line prompt, late;
  /* When the last byte that was accepted has been serialised. */
  int64_t busy_until_ns;
  uint64_t forwarded, lost, dropped;
};

static struct {
  int64_t delay_ns, rate, loss_ppm, late_ppm, late_ns, queue_bytes;
  int is_cut;
} settings;
static struct direction directions[2];
static uint64_t random_state;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * NS_PER_S + time.tv_nsec;
}

/* xorshift64*: the same seed loses the same packets. */
static int happens(int64_t ppm) {
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return (int64_t)((random_state * 2685821657736338717ULL >> 32) % 1000000) < ppm;
}

static int open_device(const char *namespace, const char *name) {
  char path[256];
  snprintf(path, sizeof path, "/run/netns/%s", namespace);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0 || setns(file, CLONE_NEWNET) < 0) die(path);
  close(file);
  int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (device < 0) die("/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
  if (ioctl(device, TUNSETIFF, &request) < 0) die("TUNSETIFF");
  return device;
}

static int is_empty(const struct line *line) { return line->first == line->next; }

static struct packet *head(struct line *line) { return &line->ring[line->first % MAX_UNDER_WAY]; }

static void forget(struct line *line) {
  free(head(line)->bytes);
  line->first++;
}

/* Decides what becomes of a packet that has come. */
static void take(struct direction *way, const unsigned char *bytes, int length) {
  if (settings.is_cut || happens(settings.loss_ppm)) {
    way->lost++;
    return;
  }
  int64_t now = now_ns();
  if (way->busy_until_ns < now) way->busy_until_ns = now;
  int is_late = happens(settings.late_ppm);
  struct line *line = is_late ? &way->late : &way->prompt;
  int64_t waiting_bytes = settings.rate == 0 ? 0 : (way->busy_until_ns - now) * settings.rate / 8 / NS_PER_S;
  if (waiting_bytes + length > settings.queue_bytes || line->next - line->first >= MAX_UNDER_WAY) {
    way->dropped++;
    return;
  }
  if (settings.rate > 0) way->busy_until_ns += length * 8 * NS_PER_S / settings.rate;
  struct packet *packet = &line->ring[line->next++ % MAX_UNDER_WAY];
  packet->leaves_ns = way->busy_until_ns + settings.delay_ns + (is_late ? settings.late_ns : 0);
  packet->length = length;
  packet->bytes = malloc(length);
  if (packet->bytes == NULL) die("malloc");
  memcpy(packet->bytes, bytes, length);
}

static void take_all(struct direction *way) {
  static unsigned char buffer[MAX_PACKET_BYTES];
  for (int i = 0; i < MAX_BATCH; i++) {
    int length = read(way->from, buffer, sizeof buffer);
    if (length <= 0) return;
    take(way, buffer, length);
  }
}

static void deliver_due(struct direction *way, struct line *line, int64_t due_ns) {
  for (; !is_empty(line) && head(line)->leaves_ns <= due_ns; forget(line)) {
    /* A device that is down or has no room loses the packet, as a network card does. */
    if (write(way->to, head(line)->bytes, head(line)->length) < 0) way->lost++;
    else way->forwarded++;
  }
}

static int64_t next_due_ns(void) {
  int64_t next = 0;
  for (int i = 0; i < 2; i++) {
    struct line *lines[] = {&directions[i].prompt, &directions[i].late};
    for (int k = 0; k < 2; k++)
      if (!is_empty(lines[k]) && (next == 0 || head(lines[k])->leaves_ns < next)) next = head(lines[k])->leaves_ns;
  }
  return next;
}

static void cut(void) {
  settings.is_cut = 1;
  for (int i = 0; i < 2; i++) {
    while (!is_empty(&directions[i].prompt)) forget(&directions[i].prompt);
    while (!is_empty(&directions[i].late)) forget(&directions[i].late);
    directions[i].busy_until_ns = 0;
  }
}

static void set(const char *values) {
  long long delay_us, rate, loss_ppm, late_ppm, late_us, queue_bytes;
  if (sscanf(values, "%lld %lld %lld %lld %lld %lld", &delay_us, &rate, &loss_ppm, &late_ppm, &late_us,
             &queue_bytes) != 6) {
    fprintf(stderr, "set needs six numbers: %s\n", values);
    exit(2);
  }
  settings.delay_ns = delay_us * 1000;
  settings.rate = rate;
  settings.loss_ppm = loss_ppm;
  settings.late_ppm = late_ppm;
  settings.late_ns = late_us * 1000;
  settings.queue_bytes = queue_bytes;
}

static void obey(const char *command) {
  if (strncmp(command, "set ", 4) == 0) set(command + 4);
  else if (strcmp(command, "cut") == 0) cut();
  else if (strcmp(command, "restore") == 0) settings.is_cut = 0;
  else if (strcmp(command, "count") != 0) {
    fprintf(stderr, "unknown command: %s\n", command);
    exit(2);
  }
  for (int i = 0; i < 2; i++)
    printf("%llu %llu %llu%s", (unsigned long long)directions[i].forwarded, (unsigned long long)directions[i].lost,
           (unsigned long long)directions[i].dropped, i == 0 ? " " : "\n");
  fflush(stdout);
}

/* Whole lines of what has come on stdin. */
static void read_commands(void) {
  static char text[4096];
  static size_t length = 0;
  ssize_t got = read(STDIN_FILENO, text + length, sizeof text - 1 - length);
  if (got <= 0) exit(0);
  length += got;
  text[length] = 0;
  char *start = text;
  for (char *end; (end = strchr(start, '\n')) != NULL; start = end + 1) {
    *end = 0;
    obey(start);
  }
  length = strlen(start);
  memmove(text, start, length);
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: link NAMESPACE_A NAMESPACE_B DEVICE SEED\n");
    return 2;
  }
  /* xorshift must not start at zero. */
  random_state = strtoull(argv[4], NULL, 10) * 2 + 1;
  int devices[2] = {open_device(argv[1], argv[3]), open_device(argv[2], argv[3])};
  for (int i = 0; i < 2; i++) {
    directions[i].from = devices[i];
    directions[i].to = devices[1 - i];
  }
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  if (timer < 0) die("timerfd_create");
  printf("up\n");
  fflush(stdout);
  for (;;) {
    int64_t next = next_due_ns();
    struct itimerspec when = {.it_value = {next / NS_PER_S, next % NS_PER_S}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
    struct pollfd polled[] = {
        {devices[0], POLLIN, 0}, {devices[1], POLLIN, 0}, {timer, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    poll(polled, 4, -1);
    for (int i = 0; i < 2; i++)
      if (polled[i].revents) take_all(&directions[i]);
    if (polled[3].revents) read_commands();
    int64_t due_ns = now_ns() + SLACK_NS;
    for (int i = 0; i < 2; i++) {
      deliver_due(&directions[i], &directions[i].prompt, due_ns);
      deliver_due(&directions[i], &directions[i].late, due_ns);
    }
  }
}
