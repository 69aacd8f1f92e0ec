/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file gpio_test.h
 * @brief What the cases of gpio_driver_test share: reports, the simulated
 *        lines, and the driver under test.
 */
#ifndef GPIO_TEST_H
#define GPIO_TEST_H

#include <drivers/driver.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EDGES_MAX 512U
#define WAIT_MS   5000

extern const char *case_name; /**< of the case that runs */
extern unsigned n_failed;

/** Report unless @p ok. @return @p ok. */
bool check(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));
uint64_t now_ns(void);

/** Pull a line of cuebus-a up or down. */
void pull(unsigned offset, bool up);
bool is_pulled_up(unsigned offset);
/** The level that a line of cuebus-c is driven to. */
bool output_line(unsigned offset);
/** Put a chip in ("1") or pull it out ("0"). */
void set_live(const char *chip, const char *text);
/** Let the kernel's interrupt threads run (one CPU: they do while we sleep). */
void settle(void);

/** One line of cuebus-a for the input "doorbell". */
struct driver_config line_config(const char *line);
/** @return NULL when it failed, which was reported. */
struct driver *open_ok(const struct driver_config *config);
/** Open must fail with @p expected and a message that holds every one of @p words. */
void open_fails(const struct driver_config *config, int expected, const char *const *words);
/** Read until @p n edges came or nothing comes for 5 s; @p edges has EDGES_MAX. */
size_t read_edges(struct driver *driver, struct driver_edge *edges, size_t n);

/* gpio_open_test.c */
void test_busy(void);
void test_half_an_input_is_let_go(void);
void test_missing(void);
void test_forbidden(void);
void test_allowed_by_group(void);
void test_chip_that_goes_and_comes_back(void);

/* gpio_output_test.c */
void test_output_drives_its_line(void);
void test_output_active_low(void);
void test_output_that_can_not_be_had(void);
void test_output_whose_chip_goes_and_comes_back(void);

#endif
