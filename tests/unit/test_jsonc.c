/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include "jsonc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct parsed {
	struct arena *arena;
	struct diag diag;
	struct jsonc_node *root;
	int r;
};

static struct parsed parse_n(const char *text, size_t len, bool strict)
{
	struct parsed p = { .arena = arena_new() };
	struct jsonc_options options = { .strict = strict };
	struct jsonc_source source = { "f.json", text, len };

	p.r = jsonc_parse(p.arena, &source, &options, &p.diag, &p.root);
	return p;
}

static struct parsed parse(const char *text, bool strict)
{
	/* A copy without a terminator, so that a read past the end is seen by ASan. */
	size_t len = strlen(text);
	char *exact = malloc(len ? len : 1);
	struct parsed p;

	memcpy(exact, text, len);
	p = parse_n(exact, len, strict);
	free(exact);
	return p;
}

static void release(struct parsed *p)
{
	diag_clear(&p->diag);
	p->arena = arena_free(p->arena);
}

static void expect_fault(const char *text, bool strict, unsigned line, unsigned column,
                         const char *part)
{
	struct parsed p = parse(text, strict);

	cr_assert_eq(p.r, -EINVAL, "%s", text);
	cr_assert_eq(p.diag.n, 1, "%s", text);
	cr_assert_eq(p.diag.findings[0].line, line, "%s: line %u", text, p.diag.findings[0].line);
	cr_assert_eq(p.diag.findings[0].column, column, "%s: column %u", text,
	             p.diag.findings[0].column);
	cr_assert(strstr(p.diag.findings[0].message, part), "%s: %s", text,
	          p.diag.findings[0].message);
	cr_assert_null(p.root);
	release(&p);
}

Test(jsonc, every_kind_of_value_with_its_place)
{
	struct parsed p =
	        parse("{\n  \"a\": [1, -2.5e3, true],\n  \"b\": null, \"c\": \"x\"\n}", true);
	struct jsonc_node *a = jsonc_get(p.root, "a"), *c = jsonc_get(p.root, "c");

	cr_assert_eq(p.r, 0);
	cr_assert_eq(p.root->n, 3);
	cr_assert_eq(a->key_place.line, 2);
	cr_assert_eq(a->key_place.column, 3);
	cr_assert_eq(a->place.column, 8);
	cr_assert_eq(a->n, 3);
	cr_assert_str_eq(a->first->next->text, "-2.5e3");
	cr_assert(a->last->boolean);
	cr_assert_eq(jsonc_get(p.root, "b")->type, JSONC_NULL);
	cr_assert_eq(c->place.line, 3);
	cr_assert_eq(c->place.column, 19);
	cr_assert_eq(c->end_offset - c->place.offset, 3);
	cr_assert_str_eq(c->file, "f.json");
	release(&p);
}

Test(jsonc, comments_and_trailing_commas)
{
	struct parsed p = parse(
	        "\xEF\xBB\xBF// head\n{ /* a\n b */ \"k\": [1, 2,], // tail\n}\n// end", false);

	cr_assert_eq(p.r, 0);
	cr_assert_eq(jsonc_get(p.root, "k")->n, 2);
	cr_assert_eq(jsonc_get(p.root, "k")->key_place.line, 3);
	release(&p);
}

Test(jsonc, strict_text_has_neither)
{
	expect_fault("// x\n{}", true, 1, 1, "comments are not allowed");
	expect_fault("{\"a\":1,}", true, 1, 7, "trailing comma");
	expect_fault("[1,]", true, 1, 3, "trailing comma");
	expect_fault("\xEF\xBB\xBF{}", true, 1, 1, "a value is expected");
}

Test(jsonc, escapes_are_decoded)
{
	struct parsed p =
	        parse("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\uD83D\\uDE00\"]", true);

	cr_assert_eq(p.r, 0);
	cr_assert_str_eq(p.root->first->text,
	                 "\"\\/\b\f\n\r\tA\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
	release(&p);
}

Test(jsonc, faults_name_their_place)
{
	expect_fault("", false, 1, 1, "empty");
	expect_fault("  // only\n", false, 2, 1, "empty");
	expect_fault("{", false, 1, 2, "a key");
	expect_fault("{\"a\" 1}", false, 1, 6, "colon");
	expect_fault("{\"a\":}", false, 1, 6, "a value is expected");
	expect_fault("{\"a\":1 \"b\":2}", false, 1, 8, "a comma or }");
	expect_fault("[1 2]", false, 1, 4, "a comma or ]");
	expect_fault("[,]", false, 1, 2, "a value is expected");
	expect_fault("[1,,]", false, 1, 4, "a value is expected");
	expect_fault("{} {}", false, 1, 4, "nothing may follow");
	expect_fault("[tru]", false, 1, 2, "a value is expected");
	expect_fault("[truely]", false, 1, 2, "a value is expected");
	expect_fault("[01]", false, 1, 2, "begin with 0");
	expect_fault("[-]", false, 1, 2, "minus");
	expect_fault("[1.]", false, 1, 2, "decimal point");
	expect_fault("[1e+]", false, 1, 2, "exponent");
	expect_fault("/* never closed", false, 1, 1, "not closed with */");
	expect_fault("[1] / 2", false, 1, 5, "a comment begins");
	expect_fault("['a']", false, 1, 2, "a value is expected");
	expect_fault("{a: 1}", false, 1, 2, "a key");
}

Test(jsonc, faults_in_strings)
{
	expect_fault("[\"abc\n\"]", false, 1, 2, "not closed on its line");
	expect_fault("[\"abc", false, 1, 2, "not closed");
	expect_fault("[\"a\\", false, 1, 4, "unknown escape");
	expect_fault("[\"a\\x\"]", false, 1, 4, "unknown escape");
	expect_fault("[\"\\u12\"]", false, 1, 3, "four hex digits");
	expect_fault("[\"\\u0000\"]", false, 1, 3, "\\u0000");
	expect_fault("[\"\\uD800\"]", false, 1, 3, "surrogate");
	expect_fault("[\"\\uD800\\u0041\"]", false, 1, 3, "surrogate");
	expect_fault("[\"\\uDC00\"]", false, 1, 3, "surrogate");
	expect_fault("[\"a\tb\"]", false, 1, 4, "control character");
	expect_fault("[\"\xC0\x80\"]", false, 1, 3, "UTF-8");
	expect_fault("[\"\xED\xA0\x80\"]", false, 1, 3, "UTF-8");
	expect_fault("[\"\xF4\x90\x80\x80\"]", false, 1, 3, "UTF-8");
	expect_fault("[\"\xE2\x82", false, 1, 3, "UTF-8");
	expect_fault("// \xFF\n{}", false, 1, 4, "UTF-8");
}

Test(jsonc, nul_in_the_text_is_a_fault)
{
	struct parsed p = parse_n("{\0}", 3, false);

	cr_assert_eq(p.r, -EINVAL);
	release(&p);
	p = parse_n("[\"\\\0\"]", 6, false);
	cr_assert_eq(p.r, -EINVAL);
	release(&p);
}

Test(jsonc, depth_ends_at_32)
{
	char text[80];
	struct parsed p;

	memset(text, '[', 32);
	memset(text + 32, ']', 32);
	text[64] = '\0';
	p = parse(text, true);
	cr_assert_eq(p.r, 0);
	release(&p);
	memset(text, '[', 33);
	memset(text + 33, ']', 33);
	text[66] = '\0';
	p = parse(text, true);
	cr_assert_eq(p.r, -EINVAL);
	cr_assert_str_eq(p.diag.findings[0].rule, "json-depth");
	cr_assert_eq(p.diag.findings[0].column, 33);
	release(&p);
}

Test(jsonc, every_duplicate_key_is_reported_and_the_first_stands)
{
	struct parsed p =
	        parse("{\"a\":1,\n\"b\":{\"x\":1,\"\\u0078\":2},\n\"a\":3,\"a\":4}", false);
	uint64_t value = 0;

	cr_assert_eq(p.r, 0);
	cr_assert_eq(p.diag.n_errors, 3);
	diag_sort(&p.diag);
	cr_assert_str_eq(p.diag.findings[0].path, "/b/x");
	cr_assert_eq(p.diag.findings[0].column, 12);
	cr_assert_str_eq(p.diag.findings[1].rule, "duplicate-key");
	cr_assert_eq(p.diag.findings[1].line, 3);
	cr_assert_eq(p.root->n, 2);
	cr_assert_eq(jsonc_u64(jsonc_get(p.root, "a"), &value), 0);
	cr_assert_eq(value, 1);
	release(&p);
}

Test(jsonc, pointers_lead_there_and_back)
{
	struct parsed p = parse("{\"a/b\":{\"~\":[10,{\"k\":1}]},\"one\":\"x\"}", false);
	const struct jsonc_node *k = jsonc_resolve(p.root, "/a~1b/~0/1/k");
	char *pointer = jsonc_pointer(k);

	cr_assert_str_eq(pointer, "/a~1b/~0/1/k");
	free(pointer);
	cr_assert_eq(jsonc_resolve(p.root, ""), p.root);
	/* no such node: the last one on the way */
	cr_assert_eq(jsonc_resolve(p.root, "/a~1b/~0/1/none/x"), k->parent);
	/* one value in place of a list of one */
	cr_assert_eq(jsonc_resolve(p.root, "/one/0"), jsonc_get(p.root, "one"));
	release(&p);
}

Test(jsonc, whole_numbers)
{
	static const struct {
		const char *text;
		int unsigned_r;
		uint64_t unsigned_value;
		int signed_r;
		int64_t signed_value;
	} cases[] = {
		{ "18446744073709551615", 0, UINT64_MAX, -ERANGE, 0 },
		{ "18446744073709551616", -ERANGE, 0, -ERANGE, 0 },
		{ "-1", -ERANGE, 0, 0, -1 },
		{ "-9223372036854775808", -ERANGE, 0, 0, INT64_MIN },
		{ "-9223372036854775809", -ERANGE, 0, -ERANGE, 0 },
		{ "7.0", 0, 7, 0, 7 },
		{ "1e1", 0, 10, 0, 10 },
		{ "1E+1", 0, 10, 0, 10 },
		{ "70e-1", 0, 7, 0, 7 },
		{ "1.25e2", 0, 125, 0, 125 },
		{ "0.0007e4", 0, 7, 0, 7 },
		{ "-0", 0, 0, 0, 0 },
		{ "-0.0e9", 0, 0, 0, 0 },
		{ "0e999999999999999999999", 0, 0, 0, 0 },
		{ "18446744073709551615.000", 0, UINT64_MAX, -ERANGE, 0 },
		{ "1844674407370955161500e-2", 0, UINT64_MAX, -ERANGE, 0 },
		{ "9223372036854775807.0", 0, INT64_MAX, 0, INT64_MAX },
		{ "1.5", -EINVAL, 0, -EINVAL, 0 },
		{ "-1.5", -EINVAL, 0, -EINVAL, 0 },
		{ "1e-1", -EINVAL, 0, -EINVAL, 0 },
		{ "1.00000000000000000000000001", -EINVAL, 0, -EINVAL, 0 },
		{ "1e-999999999999999999999", -EINVAL, 0, -EINVAL, 0 },
		{ "1e400", -ERANGE, 0, -ERANGE, 0 },
		{ "1e999999999999999999999", -ERANGE, 0, -ERANGE, 0 },
		{ "1e20", -ERANGE, 0, -ERANGE, 0 },
		{ "\"7\"", -EINVAL, 0, -EINVAL, 0 },
	};

	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct parsed p = parse(cases[k].text, true);
		uint64_t u = 77;
		int64_t i = 77;

		cr_assert_eq(jsonc_u64(p.root, &u), cases[k].unsigned_r, "%s", cases[k].text);
		cr_assert_eq(u, cases[k].unsigned_r < 0 ? 77 : cases[k].unsigned_value, "%s",
		             cases[k].text);
		cr_assert_eq(jsonc_i64(p.root, &i), cases[k].signed_r, "%s", cases[k].text);
		cr_assert_eq(i, cases[k].signed_r < 0 ? 77 : cases[k].signed_value, "%s",
		             cases[k].text);
		release(&p);
	}
}

Test(jsonc, children_can_be_moved)
{
	struct parsed p = parse("{\"a\":{\"x\":1,\"y\":2,\"z\":3},\"b\":{}}", true);
	struct jsonc_node *a = jsonc_get(p.root, "a"), *b = jsonc_get(p.root, "b");
	struct jsonc_node *z = a->last;

	jsonc_remove(z);
	jsonc_append(b, z);
	jsonc_remove(a->first);
	cr_assert_eq(a->n, 1);
	cr_assert_str_eq(a->first->key, "y");
	cr_assert_eq(a->first->index, 0);
	cr_assert_eq(a->first, a->last);
	cr_assert_eq(jsonc_get(b, "z"), z);
	release(&p);
}

Test(jsonc, quotes_are_cut_at_a_character)
{
	char buf[JSONC_QUOTE_SIZE], text[100];

	cr_assert_str_eq(jsonc_quote(buf, "abc"), "\"abc\"");
	memset(text, 'a', 65);
	strcpy(text + 65, "\xE2\x82\xAC more");
	jsonc_quote(buf, text);
	cr_assert_eq(strlen(buf), 65 + 5);
	cr_assert_str_eq(buf + 65, "a...\"");
}
