/* SPDX-License-Identifier: Apache-2.0 */
#include "config_model.h"
#include "event_pattern.h"

int config_qos(const struct config_mqtt *mqtt, const char *event_type)
{
	size_t best = 0;
	int qos = 1;

	for (size_t i = 0; i < mqtt->n_qos; i++) {
		size_t fit = event_pattern_match(mqtt->qos[i].pattern, event_type);

		if (fit > best) {
			best = fit;
			qos = mqtt->qos[i].qos;
		}
	}
	return qos;
}
