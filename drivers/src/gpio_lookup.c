/* SPDX-License-Identifier: Apache-2.0 */
#include "gpio_lookup.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "drivers_internal.h"

#define CHIP_PREFIX "gpiochip"

static const char *role_name(const struct gpio_wanted *wanted)
{
	switch (wanted->role) {
	case GPIO_ROLE_INPUT:
		return "input";
	case GPIO_ROLE_OUTPUT:
		return "output";
	}
	return "input"; /* not reached: the switch is exhaustive */
}

/** All chips by number: the result of scandir(). */
struct chip_list {
	struct dirent **entries;
	int n;
};

static int is_chip(const struct dirent *entry)
{
	return strncmp(entry->d_name, CHIP_PREFIX, strlen(CHIP_PREFIX)) == 0;
}

/* versionsort: gpiochip2 before gpiochip10, and the same order on every start. */
static void list_chips(struct chip_list *list)
{
	list->n = scandir("/dev", &list->entries, is_chip, versionsort);
	if (list->n < 0)
		list->entries = NULL;
}

static void chip_list_free(struct chip_list *list)
{
	for (int i = 0; i < list->n; i++)
		free(list->entries[i]);
	free(list->entries);
}

static void chip_path(const struct chip_list *list, int i, char path[static PATH_MAX])
{
	snprintf(path, PATH_MAX, "/dev/%s", list->entries[i]->d_name);
}

/** "gpiochip0 [label], …" for messages. */
static void describe_chips(const struct chip_list *list, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (int i = 0; i < list->n && len < size; i++) {
		struct gpio_chip *chip = NULL;
		char path[PATH_MAX];

		chip_path(list, i, path);
		if (gpio_chip_open(path, &chip) < 0)
			continue;
		len += (size_t)snprintf(text + len, size - len, "%s%s [%s]", len ? ", " : "",
		                        gpio_chip_name(chip), gpio_chip_label(chip));
		gpio_chip_close(chip);
	}
}

static int fail_forbidden(const struct gpio_wanted *wanted, const char *path, char *error)
{
	const struct group *group = NULL;
	struct stat st;

	if (stat(path, &st) == 0)
		group = getgrgid(st.st_gid);
	return driver_fail(
	        error, -EACCES,
	        "%s \"%s\": no permission to open %s (its group is %s): add the "
	        "gateway's user to the group gpio, and have udev give the device to that group",
	        role_name(wanted), wanted->name, path, group ? group->gr_name : "unknown");
}

/** Write the error for a configured chip that can't be opened. */
static int fail_chip(const struct gpio_wanted *wanted, const char *path, int r,
                     const struct chip_list *list, char *error)
{
	char there[200];

	if (r == -EACCES || r == -EPERM)
		return fail_forbidden(wanted, path, error);
	if (r == -ENOMEM || r == -EMFILE || r == -ENFILE)
		return driver_fail(error, r, "%s \"%s\": GPIO chip %s: %s", role_name(wanted),
		                   wanted->name, path, strerrordesc_np(-r));
	describe_chips(list, there, sizeof(there));
	if (!there[0])
		return driver_fail(
		        error, -ENODEV,
		        "%s \"%s\": no GPIO chip \"%s\"; there is none at all (no "
		        "/dev/gpiochip*): is the GPIO driver loaded, is this the right machine?",
		        role_name(wanted), wanted->name, wanted->chip);
	return driver_fail(
	        error, -ENODEV,
	        "%s \"%s\": no GPIO chip \"%s\"; there are %s: set \"chip\" to the label, "
	        "name or path of one (gpiodetect lists them)",
	        role_name(wanted), wanted->name, wanted->chip, there);
}

static bool is_named(const struct gpio_chip *chip, const char *name)
{
	return strcmp(gpio_chip_name(chip), name) == 0 || strcmp(gpio_chip_label(chip), name) == 0;
}

/** The chip that the configuration names. */
static int find_chip(const struct gpio_wanted *wanted, const struct chip_list *list,
                     struct gpio_chip **ret_chip, char *error)
{
	char path[PATH_MAX], forbidden[PATH_MAX] = "";
	int r;

	if (strchr(wanted->chip, '/')) {
		r = gpio_chip_open(wanted->chip, ret_chip);
		return r < 0 ? fail_chip(wanted, wanted->chip, r, list, error) : 0;
	}
	for (int i = 0; i < list->n; i++) {
		struct gpio_chip *chip = NULL;

		chip_path(list, i, path);
		r = gpio_chip_open(path, &chip);
		if (r == -EACCES || r == -EPERM) {
			if (!forbidden[0] || strcmp(list->entries[i]->d_name, wanted->chip) == 0)
				memcpy(forbidden, path, sizeof(forbidden));
			continue;
		}
		if (r < 0)
			continue;
		if (is_named(chip, wanted->chip)) {
			*ret_chip = chip;
			return 0;
		}
		gpio_chip_close(chip);
	}
	/* The label of a chip that can't be opened is unknown: it may be the wanted one. */
	return fail_chip(wanted, forbidden, forbidden[0] ? -EACCES : -ENODEV, list, error);
}

/** Parse an offset: decimal digits only. */
static bool parse_offset(const char *text, unsigned *ret_offset)
{
	unsigned long value;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value > UINT_MAX)
		return false;
	*ret_offset = (unsigned)value;
	return true;
}

/** Find a line on a configured chip: by its name, else by its offset. */
static int find_line_on(const struct gpio_wanted *wanted, struct gpio_chip *chip,
                        unsigned *ret_offset, char *error)
{
	const char *line = wanted->line;
	unsigned offset;
	int r = gpio_chip_find(chip, line, &offset);

	if (r == -ENOENT && parse_offset(line, &offset) && offset < gpio_chip_lines(chip))
		r = 0;
	if (r == 0) {
		*ret_offset = offset;
		return 0;
	}
	return driver_fail(
	        error, r,
	        "%s \"%s\": GPIO chip %s [%s] has no line \"%s\": give a line's name, or an "
	        "offset from 0 to %u (gpioinfo lists them)",
	        role_name(wanted), wanted->name, gpio_chip_name(chip), gpio_chip_label(chip), line,
	        gpio_chip_lines(chip) - 1);
}

/** Find a line by its name on all chips. */
static int find_line_anywhere(const struct gpio_wanted *wanted, const struct chip_list *list,
                              struct gpio_chip **ret_chip, unsigned *ret_offset, char *error)
{
	char path[PATH_MAX], forbidden[PATH_MAX] = "", there[200];
	const char *line = wanted->line;

	for (int i = 0; i < list->n; i++) {
		struct gpio_chip *chip = NULL;
		int r;

		chip_path(list, i, path);
		r = gpio_chip_open(path, &chip);
		if ((r == -EACCES || r == -EPERM) && !forbidden[0])
			memcpy(forbidden, path, sizeof(forbidden));
		if (r < 0)
			continue;
		if (gpio_chip_find(chip, line, ret_offset) == 0) {
			*ret_chip = chip;
			return 0;
		}
		gpio_chip_close(chip);
	}
	if (forbidden[0])
		return fail_forbidden(wanted, forbidden, error);
	describe_chips(list, there, sizeof(there));
	if (!there[0])
		return driver_fail(
		        error, -ENODEV,
		        "%s \"%s\": no GPIO chip has a line \"%s\"; there is no chip at all (no "
		        "/dev/gpiochip*): is the GPIO driver loaded, is this the right machine?",
		        role_name(wanted), wanted->name, line);
	return driver_fail(error, -ENOENT,
	                   "%s \"%s\": none of the GPIO chips %s has a line named \"%s\" (gpioinfo "
	                   "lists them); an offset needs \"chip\" as well",
	                   role_name(wanted), wanted->name, there, line);
}

int gpio_lookup(const struct gpio_wanted *wanted, struct gpio_chip **ret_chip, unsigned *ret_offset,
                char *error)
{
	struct gpio_chip *chip = NULL;
	struct chip_list list;
	unsigned offset = 0;
	int r;

	list_chips(&list);
	if (wanted->chip) {
		r = find_chip(wanted, &list, &chip, error);
		if (r == 0)
			r = find_line_on(wanted, chip, &offset, error);
	} else {
		r = find_line_anywhere(wanted, &list, &chip, &offset, error);
	}
	chip_list_free(&list);
	if (r < 0) {
		if (chip)
			gpio_chip_close(chip);
		return r;
	}
	*ret_chip = chip;
	*ret_offset = offset;
	return 0;
}

void gpio_consumer(const struct gpio_wanted *wanted, char consumer[static GPIO_NAME_SIZE])
{
	(void)snprintf(consumer, GPIO_NAME_SIZE, "%s/%s", wanted->consumer, wanted->name);
}

int gpio_request_error(const struct gpio_wanted *wanted, struct gpio_chip *chip, unsigned offset,
                       int r, char *error)
{
	struct gpio_line_info info = { 0 };
	char line[64];

	(void)gpio_chip_line_info(chip, offset, &info);
	if (info.name[0])
		snprintf(line, sizeof(line), "%u \"%s\"", offset, info.name);
	else
		snprintf(line, sizeof(line), "%u", offset);
	if (r == -EBUSY)
		return driver_fail(
		        error, r,
		        "%s \"%s\": line %s of GPIO chip %s [%s] is held by \"%s\": stop that "
		        "program or kernel driver, or choose another line (gpioinfo shows who "
		        "holds what)",
		        role_name(wanted), wanted->name, line, gpio_chip_name(chip),
		        gpio_chip_label(chip),
		        info.consumer[0] ? info.consumer : "another consumer");
	if (r == -EACCES || r == -EPERM)
		return driver_fail(
		        error, -EACCES,
		        "%s \"%s\": no permission to use line %s of GPIO chip %s [%s]: add the "
		        "gateway's user to the group gpio",
		        role_name(wanted), wanted->name, line, gpio_chip_name(chip),
		        gpio_chip_label(chip));
	if (wanted->role == GPIO_ROLE_INPUT && (r == -ENXIO || r == -EOPNOTSUPP))
		return driver_fail(
		        error, -EIO,
		        "%s \"%s\": line %s of GPIO chip %s [%s] has no interrupt, so its edges "
		        "can't be seen: choose another line",
		        role_name(wanted), wanted->name, line, gpio_chip_name(chip),
		        gpio_chip_label(chip));
	return driver_fail(error, r == -ENOMEM || r == -EINVAL ? r : -EIO,
	                   "%s \"%s\": line %s of GPIO chip %s [%s] for \"%s\" with %s: %s%s",
	                   role_name(wanted), wanted->name, line, gpio_chip_name(chip),
	                   gpio_chip_label(chip), wanted->consumer, driver_gpio_version(),
	                   strerrordesc_np(-r),
	                   r != -EINVAL ? ""
	                   : wanted->role == GPIO_ROLE_INPUT
	                           ? ": does the kernel have this version of the GPIO interface, "
	                             "does the chip have this bias?"
	                           : ": does the kernel have this version of the GPIO interface?");
}
