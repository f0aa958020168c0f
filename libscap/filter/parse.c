/* SPDX-License-Identifier: MIT */
/* Recursive descent over the grammar of docs/filter.md. */
#include "filter/ast.h"

#include <stdlib.h>

#include "filter/suggest.h"

struct parser {
	struct scap__cursor c;
	struct scap__ast *ast;
	struct scap_error *err;
	unsigned depth;
	const struct scap__field_token *field;	/* of the check being parsed */
};

static const struct {
	const char *text;
	uint8_t op;
	bool word;		/* a blank must follow */
} string_ops[] = {
	{ "==", SCAP__OP_EQ, false },
	{ "=", SCAP__OP_EQ, false },
	{ "!=", SCAP__OP_NE, false },
	{ "contains", SCAP__OP_CONTAINS, true },
	{ "icontains", SCAP__OP_ICONTAINS, true },
	{ "startswith", SCAP__OP_STARTSWITH, true },
	{ "endswith", SCAP__OP_ENDSWITH, true },
	{ "glob", SCAP__OP_GLOB, true },
	{ "iglob", SCAP__OP_IGLOB, true },
};

static const struct {
	const char *text;
	uint8_t op;
} number_ops[] = {
	{ "<=", SCAP__OP_LE },
	{ "<", SCAP__OP_LT },
	{ ">=", SCAP__OP_GE },
	{ ">", SCAP__OP_GT },
};

/* Part of the language, but not of this library yet. */
static const char *const later_ops[] = { "bcontains", "bstartswith", "regex", "intersects",
					 "pmatch" };

const char *scap__op_name(unsigned op)
{
	static const char *const names[] = {
		[SCAP__OP_EXISTS] = "exists", [SCAP__OP_EQ] = "=", [SCAP__OP_NE] = "!=",
		[SCAP__OP_LT] = "<", [SCAP__OP_LE] = "<=", [SCAP__OP_GT] = ">",
		[SCAP__OP_GE] = ">=", [SCAP__OP_CONTAINS] = "contains",
		[SCAP__OP_ICONTAINS] = "icontains", [SCAP__OP_STARTSWITH] = "startswith",
		[SCAP__OP_ENDSWITH] = "endswith", [SCAP__OP_GLOB] = "glob",
		[SCAP__OP_IGLOB] = "iglob", [SCAP__OP_IN] = "in",
	};

	return names[op];
}

static int expected(struct parser *p, const char *what)
{
	return scap__syntax_error(p->err, scap__lex_column(&p->c), "expected %s", what);
}

static int not_yet(struct parser *p, const char *what)
{
	return scap__syntax_error(p->err, scap__lex_column(&p->c), "%s: not supported yet", what);
}

/* ---- the tree grows -------------------------------------------------------------------------- */

static int grow(void **items, uint32_t n, uint32_t *cap, size_t size)
{
	uint32_t wanted = *cap ? *cap * 2 : 16;
	void *more;

	if (n < *cap)
		return 0;
	more = realloc(*items, wanted * size);
	if (!more)
		return -1;
	*items = more;
	*cap = wanted;
	return 0;
}

static int new_node(struct parser *p, enum scap__node_kind kind, uint32_t *ret_node)
{
	struct scap__ast *a = p->ast;

	if (grow((void **)&a->nodes, a->n_nodes, &a->cap_nodes, sizeof(*a->nodes)) < 0)
		return scap__no_memory(p->err);
	memset(&a->nodes[a->n_nodes], 0, sizeof(*a->nodes));
	a->nodes[a->n_nodes].kind = (uint8_t)kind;
	a->nodes[a->n_nodes].last_child = SCAP__NO_NODE;
	a->nodes[a->n_nodes].previous = SCAP__NO_NODE;
	*ret_node = a->n_nodes++;
	return 0;
}

static void adopt(struct parser *p, uint32_t parent, uint32_t child)
{
	p->ast->nodes[child].previous = p->ast->nodes[parent].last_child;
	p->ast->nodes[parent].last_child = child;
}

static int new_value(struct parser *p, const char *s, size_t n, size_t column)
{
	struct scap__ast *a = p->ast;

	if (grow((void **)&a->values, a->n_values, &a->cap_values, sizeof(*a->values)) < 0)
		return scap__no_memory(p->err);
	a->values[a->n_values++] = (struct scap__literal){ s, n, column };
	return 0;
}

/* ---- constants ------------------------------------------------------------------------------- */

static int parse_quoted(struct parser *p)
{
	size_t column = scap__lex_column(&p->c), n;
	char *out = p->ast->strings + p->ast->n_strings;
	int rc = scap__lex_quoted(&p->c, out, &n, p->err);

	if (rc < 0)
		return rc;
	p->ast->n_strings += n;
	return new_value(p, out, n, column);
}

static int parse_plain(struct parser *p, size_t n)
{
	size_t column = scap__lex_column(&p->c);
	const char *s = p->c.text + p->c.pos;

	p->c.pos += n;
	return new_value(p, s, n, column);
}

static int parse_string(struct parser *p, const char *what)
{
	int quote = scap__lex_peek(&p->c);
	size_t n;

	if (quote == '"' || quote == '\'')
		return parse_quoted(p);
	n = scap__lex_word_len(&p->c);
	return n ? parse_plain(p, n) : expected(p, what);
}

/* A unit behind a number is this library's own addition: evt.latency > 10ms. */
static size_t unit_len(const struct scap__cursor *c)
{
	struct scap__cursor rest = *c;
	size_t n = scap__lex_ident_len(&rest);
	const char *s = c->text + c->pos;

	if ((n == 2 && s[1] == 's' && strchr("num", s[0])) || (n == 1 && s[0] == 's'))
		return n;
	return 0;
}

/* Fields that people compare with times of day. */
static bool is_clock(const struct scap__field_token *t)
{
	static const char *const prefixes[] = { "evt.time", "evt.rawtime", "evt.datetime" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (t->n_name >= strlen(prefixes[i]) &&
		    !memcmp(t->name, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

static int parse_number(struct parser *p)
{
	struct scap__cursor behind = p->c;
	size_t n;

	scap__lex_blank(&p->c);
	if (scap__lex_transformer_len(&p->c))
		return not_yet(p, "a field or transformer on the right side");
	n = scap__lex_number_len(&p->c);
	if (!n && is_clock(p->field))
		return expected(p, "a number; a range of time is --from T --to T");
	if (!n)
		return expected(p, "a number");
	behind.pos = p->c.pos + n;
	return parse_plain(p, n + unit_len(&behind));
}

/* "oneof (" and so on: only if a list follows; otherwise the word is the value. */
static bool at_modifier(const struct parser *p)
{
	static const char *const modifiers[] = { "oneof", "anyof", "allof" };
	static const char *const keywords[] = { "and", "or", "not" };
	struct scap__cursor c = p->c;
	size_t i = 0, n;

	while (i < 3 && !scap__lex_text(&c, modifiers[i]))
		i++;
	if (i == 3 || !scap__lex_blank(&c))
		return false;
	if (scap__lex_peek(&c) == '(')
		return true;
	n = scap__lex_ident_len(&c);
	for (i = 0; i < 3; i++)
		if (n == strlen(keywords[i]) && !memcmp(c.text + c.pos, keywords[i], n))
			return false;
	return n;
}

static int parse_string_rhs(struct parser *p)
{
	scap__lex_blank(&p->c);
	if (at_modifier(p))
		return not_yet(p, "oneof, anyof, allof");
	if (scap__lex_transformer_len(&p->c))
		return not_yet(p, "a field or transformer on the right side");
	return parse_string(p, "a value");
}

static int parse_list_items(struct parser *p)
{
	int rc;

	scap__lex_blank(&p->c);
	if (scap__lex_text(&p->c, ")"))
		return 0;
	for (;;) {
		scap__lex_blank(&p->c);
		rc = parse_string(p, "a value");
		if (rc < 0)
			return rc;
		scap__lex_blank(&p->c);
		if (scap__lex_text(&p->c, ")"))
			return 0;
		if (!scap__lex_text(&p->c, ","))
			return expected(p, "',' or ')'");
	}
}

static int parse_list(struct parser *p)
{
	scap__lex_blank(&p->c);
	if (scap__lex_text(&p->c, "("))
		return parse_list_items(p);
	if (scap__lex_transformer_len(&p->c))
		return not_yet(p, "a field or transformer on the right side");
	if (scap__lex_ident_len(&p->c))
		return not_yet(p, "a named list");
	return expected(p, "a list in parentheses");
}

/* ---- checks ---------------------------------------------------------------------------------- */

static int try_number_op(struct parser *p, uint8_t *ret_op)
{
	for (size_t i = 0; i < sizeof(number_ops) / sizeof(number_ops[0]); i++) {
		if (scap__lex_text(&p->c, number_ops[i].text)) {
			*ret_op = number_ops[i].op;
			return 1;
		}
	}
	return 0;
}

static int try_string_op(struct parser *p, uint8_t *ret_op)
{
	for (size_t i = 0; i < sizeof(string_ops) / sizeof(string_ops[0]); i++) {
		struct scap__cursor before = p->c;

		if (!scap__lex_text(&p->c, string_ops[i].text))
			continue;
		/* With nothing behind it, the value is missing, not the operator. */
		if (!string_ops[i].word || scap__lex_is_blank(&p->c, p->c.pos) ||
		    scap__lex_peek(&p->c) < 0 || scap__lex_peek(&p->c) == ')') {
			*ret_op = string_ops[i].op;
			return 1;
		}
		p->c = before;
	}
	return 0;
}

static int check_later_ops(struct parser *p)
{
	for (size_t i = 0; i < sizeof(later_ops) / sizeof(later_ops[0]); i++) {
		struct scap__cursor c = p->c;

		if (scap__lex_text(&c, later_ops[i]))
			return not_yet(p, later_ops[i]);
	}
	return 0;
}

/* The operator and what stands right of it. */
static int parse_condition(struct parser *p, uint8_t *ret_op)
{
	int rc;

	if (scap__lex_text(&p->c, "exists")) {
		*ret_op = SCAP__OP_EXISTS;
		return 0;
	}
	if (try_number_op(p, ret_op))
		return parse_number(p);
	if (try_string_op(p, ret_op))
		return parse_string_rhs(p);
	rc = check_later_ops(p);
	if (rc < 0)
		return rc;
	if (scap__lex_text(&p->c, "in")) {
		*ret_op = SCAP__OP_IN;
		return parse_list(p);
	}
	return expected(p, "an operator: = != < <= > >= contains icontains startswith endswith "
			   "glob iglob in exists");
}

static int parse_check(struct parser *p, uint32_t *ret_node)
{
	struct scap__node check = { .kind = SCAP__NODE_CHECK, .last_child = SCAP__NO_NODE,
				    .previous = SCAP__NO_NODE };
	int rc;

	if (scap__lex_transformer_len(&p->c))
		return not_yet(p, "transformers");
	rc = scap__lex_field(&p->c, &check.field, p->err);
	if (rc < 0)
		return rc;
	scap__lex_blank(&p->c);
	p->field = &check.field;
	check.op_column = scap__lex_column(&p->c);
	check.first_value = p->ast->n_values;
	rc = parse_condition(p, &check.op);
	if (rc < 0)
		return rc;
	check.n_values = p->ast->n_values - check.first_value;
	rc = new_node(p, SCAP__NODE_CHECK, ret_node);
	if (rc < 0)
		return rc;
	p->ast->nodes[*ret_node] = check;
	return 0;
}

/* ---- expressions ----------------------------------------------------------------------------- */

static int parse_or(struct parser *p, uint32_t *ret_node);

/* The cursor stands behind the opening parenthesis. */
static int parse_in_parens(struct parser *p, uint32_t *ret_node)
{
	int rc = parse_or(p, ret_node);

	if (rc < 0)
		return rc;
	scap__lex_blank(&p->c);
	if (!scap__lex_text(&p->c, ")"))
		return expected(p, "')', 'and' or 'or'");
	return 0;
}

/* "not" with a blank or a parenthesis behind it; the cursor moves behind the word. */
static bool take_not(struct parser *p)
{
	struct scap__cursor before = p->c;

	if (scap__lex_text(&p->c, "not") &&
	    (scap__lex_is_blank(&p->c, p->c.pos) || scap__lex_peek(&p->c) == '('))
		return true;
	p->c = before;
	return false;
}

static int parse_not(struct parser *p, uint32_t *ret_node)
{
	bool negated = false;
	uint32_t child;
	int rc;

	scap__lex_blank(&p->c);
	while (take_not(p)) {
		negated = !negated;
		scap__lex_blank(&p->c);
	}
	rc = scap__lex_text(&p->c, "(") ? parse_in_parens(p, &child) : parse_check(p, &child);
	if (rc < 0)
		return rc;
	*ret_node = child;
	if (!negated)
		return 0;
	rc = new_node(p, SCAP__NODE_NOT, ret_node);
	if (rc < 0)
		return rc;
	adopt(p, *ret_node, child);
	return 0;
}

/* The keyword, which a blank or a parenthesis must follow: 1; 0: it is not there. */
static int take_keyword(struct parser *p, const char *word)
{
	scap__lex_blank(&p->c);
	if (!scap__lex_text(&p->c, word))
		return 0;
	if (scap__lex_is_blank(&p->c, p->c.pos) || scap__lex_peek(&p->c) == '(')
		return 1;
	return scap__syntax_error(p->err, scap__lex_column(&p->c),
				  "expected a blank or '(' after '%s'", word);
}

/* A chain of one operator: a single operand stays as it is. */
static int parse_chain(struct parser *p, const char *word, enum scap__node_kind kind,
		       int (*operand)(struct parser *, uint32_t *), uint32_t *ret_node)
{
	uint32_t child, chain = SCAP__NO_NODE;
	int rc = operand(p, ret_node);

	while (rc >= 0 && (rc = take_keyword(p, word)) > 0) {
		if (chain == SCAP__NO_NODE) {
			rc = new_node(p, kind, &chain);
			if (rc < 0)
				return rc;
			adopt(p, chain, *ret_node);
			*ret_node = chain;
		}
		rc = operand(p, &child);
		if (rc >= 0)
			adopt(p, chain, child);
	}
	return rc;
}

static int parse_and(struct parser *p, uint32_t *ret_node)
{
	return parse_chain(p, "and", SCAP__NODE_AND, parse_not, ret_node);
}

static int parse_or(struct parser *p, uint32_t *ret_node)
{
	int rc;

	if (++p->depth > SCAP__FILTER_MAX_DEPTH)
		return scap__syntax_error(p->err, scap__lex_column(&p->c),
					  "exceeded max depth: parentheses nest deeper than %d",
					  SCAP__FILTER_MAX_DEPTH);
	rc = parse_chain(p, "or", SCAP__NODE_OR, parse_and, ret_node);
	p->depth--;
	return rc;
}

static int parse_all(struct parser *p)
{
	int rc;

	scap__lex_blank(&p->c);
	if (p->c.pos == p->c.n)
		return expected(p, "a filter: it is empty");
	rc = parse_or(p, &p->ast->root);
	if (rc < 0)
		return rc;
	scap__lex_blank(&p->c);
	if (p->c.pos < p->c.n)
		return expected(p, "'and', 'or' or the end of the filter");
	return 0;
}

int scap__parse(const char *text, struct scap__ast *ret_ast, struct scap_error *err)
{
	struct parser p = { .ast = ret_ast, .err = err };
	int rc;

	memset(ret_ast, 0, sizeof(*ret_ast));
	p.c.n = strnlen(text, SCAP__FILTER_MAX_BYTES + 1);
	if (p.c.n > SCAP__FILTER_MAX_BYTES)
		return scap__syntax_error(err, SCAP__FILTER_MAX_BYTES + 1,
					  "the filter is longer than %d bytes",
					  SCAP__FILTER_MAX_BYTES);
	ret_ast->text = malloc(p.c.n + 1);
	ret_ast->strings = malloc(p.c.n + 1);
	if (!ret_ast->text || !ret_ast->strings) {
		scap__ast_free(ret_ast);
		return scap__no_memory(err);
	}
	memcpy(ret_ast->text, text, p.c.n);
	ret_ast->text[p.c.n] = '\0';
	p.c.text = ret_ast->text;
	rc = parse_all(&p);
	if (rc < 0)
		scap__ast_free(ret_ast);
	return rc;
}

void scap__ast_free(struct scap__ast *ast)
{
	free(ast->nodes);
	free(ast->values);
	free(ast->text);
	free(ast->strings);
	memset(ast, 0, sizeof(*ast));
}
