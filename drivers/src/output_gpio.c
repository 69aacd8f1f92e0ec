/* SPDX-License-Identifier: Apache-2.0 */
/* The gpio driver of outputs, over either libgpiod (see gpio_backend.h). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "drivers_internal.h"
#include "gpio_backend.h"
#include "gpio_lookup.h"

/* Linux 6.1 does not notify a process that holds only an output when the chip is removed: libgpiod
 * 1.x has no descriptor to poll. */
#define CHECK_NS 1000000000ULL

struct output_gpio {
	struct output_driver base;
	struct gpio_chip *chip;
	struct gpio_request *request;
};

static void output_gpio_close(struct output_driver *driver)
{
	struct output_gpio *gpio = (struct output_gpio *)driver;

	if (gpio->request)
		gpio_request_free(gpio->request);
	if (gpio->chip)
		gpio_chip_close(gpio->chip);
	free(gpio);
}

static int request(const struct output_config *config, struct output_gpio *gpio, char *error)
{
	struct gpio_wanted wanted = {
		.role = GPIO_ROLE_OUTPUT,
		.name = config->output,
		.consumer = config->consumer,
		.chip = config->chip,
		.line = config->line,
	};
	struct gpio_output_options options = { .active_low = config->active_low,
		                               .initial = config->initial };
	char consumer[GPIO_NAME_SIZE];
	unsigned offset;
	int r = gpio_lookup(&wanted, &gpio->chip, &offset, error);

	if (r < 0)
		return r;
	gpio_consumer(&wanted, consumer);
	options.consumer = consumer;
	r = gpio_request_output(gpio->chip, offset, &options, &gpio->request);
	return r < 0 ? gpio_request_error(&wanted, gpio->chip, offset, r, error) : 0;
}

static int output_gpio_open(const struct output_config *config, struct output_driver **ret_driver,
                            char *error)
{
	struct output_gpio *gpio;
	int r;

	if (!config->line)
		return driver_fail(error, -EINVAL, "output \"%s\": a gpio output has a line",
		                   config->output);
	gpio = calloc(1, sizeof(*gpio));
	if (!gpio)
		return driver_fail(error, -ENOMEM, "output \"%s\": out of memory", config->output);
	gpio->base.ops = &output_driver_gpio;
	r = request(config, gpio, error);
	if (r < 0) {
		output_gpio_close(&gpio->base);
		return r;
	}
	*ret_driver = &gpio->base;
	return 0;
}

static int output_gpio_set(struct output_driver *driver, bool level)
{
	struct output_gpio *gpio = (struct output_gpio *)driver;

	return gpio_request_set(gpio->request, level);
}

static int output_gpio_get(struct output_driver *driver, bool *ret_level)
{
	struct output_gpio *gpio = (struct output_gpio *)driver;

	return gpio_request_get(gpio->request, ret_level);
}

const struct output_ops output_driver_gpio = {
	.name = "gpio",
	.check_ns = CHECK_NS,
	.open = output_gpio_open,
	.set = output_gpio_set,
	.get = output_gpio_get,
	.close = output_gpio_close,
};
