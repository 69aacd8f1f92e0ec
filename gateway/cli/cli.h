/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file cli.h
 * @brief The subcommands. Each gets argv from its own name on and returns the
 *        process's exit code (sysexits).
 */
#ifndef CUEBUS_CLI_H
#define CUEBUS_CLI_H

int cmd_run(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_simulate(int argc, char **argv);
int cmd_schema(int argc, char **argv);
int cmd_healthcheck(int argc, char **argv);

#endif
