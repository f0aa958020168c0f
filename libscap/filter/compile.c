/* SPDX-License-Identifier: MIT */
/*
 * From the tree to checks. They are emitted from the last to the first, so that the places where a
 * check leads to are known when it is made; "not" only swaps the two places.
 */
#include "filter/program.h"

#include <stdlib.h>

#include "filter/suggest.h"

struct compiler {
	struct scap__ast ast;
	struct scap_filter *f;
	struct scap_error *err;
};

static int init_check(struct compiler *c, struct scap__check *check, const struct scap__node *node)
{
	const struct scap__field_token *t = &node->field;
	int rc = scap__field_init(&check->field, t->name, t->n_name, t->column, t->arg, t->n_arg,
				  t->arg_column, c->err);

	if (rc < 0)
		return rc;
	check->op = node->op;
	if (!scap__op_legal(node->op, check->field.def->type))
		return scap__syntax_error(c->err, node->op_column,
					  "'%s' does not work on '%s', which is of type %s",
					  scap__op_name(node->op), check->field.def->name,
					  scap__type_name(check->field.def->type));
	check->constants = c->f->constants + node->first_value;
	check->n_constants = node->n_values;
	for (uint32_t i = 0; i < node->n_values && rc >= 0; i++)
		rc = scap__constant_init(&c->f->constants[node->first_value + i], &check->field,
					 &c->ast.values[node->first_value + i], c->err);
	return rc;
}

/* Errors are found in the order of the text. */
static int init_checks(struct compiler *c)
{
	for (uint32_t i = 0; i < c->ast.n_nodes; i++) {
		int rc;

		if (c->ast.nodes[i].kind != SCAP__NODE_CHECK)
			continue;
		rc = init_check(c, &c->f->checks[c->f->n_checks++], &c->ast.nodes[i]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Where to enter the node, given where to go when it holds and when it does not. */
static uint32_t link_node(struct compiler *c, uint32_t *next_check, uint32_t index,
			  uint32_t on_true, uint32_t on_false)
{
	const struct scap__node *node = &c->ast.nodes[index];
	uint32_t child = node->last_child, entry;

	switch (node->kind) {
	case SCAP__NODE_CHECK:
		entry = --*next_check;
		c->f->checks[entry].on_true = on_true;
		c->f->checks[entry].on_false = on_false;
		return entry;
	case SCAP__NODE_NOT:
		return link_node(c, next_check, child, on_false, on_true);
	case SCAP__NODE_AND:
		for (entry = on_true; child != SCAP__NO_NODE; child = c->ast.nodes[child].previous)
			entry = link_node(c, next_check, child, entry, on_false);
		return entry;
	default:
		for (entry = on_false; child != SCAP__NO_NODE; child = c->ast.nodes[child].previous)
			entry = link_node(c, next_check, child, on_true, entry);
		return entry;
	}
}

/* The strings that constants point into outlive the tree. */
static void take_strings(struct compiler *c)
{
	c->f->text = c->ast.text;
	c->f->strings = c->ast.strings;
	c->ast.text = NULL;
	c->ast.strings = NULL;
}

static int compile(struct compiler *c)
{
	uint32_t next_check;
	int rc;

	c->f->checks = calloc(c->ast.n_nodes, sizeof(*c->f->checks));
	c->f->constants = calloc(c->ast.n_values + 1, sizeof(*c->f->constants));
	if (!c->f->checks || !c->f->constants)
		return scap__no_memory(c->err);
	rc = init_checks(c);
	if (rc < 0)
		return rc;
	next_check = c->f->n_checks;
	c->f->entry = link_node(c, &next_check, c->ast.root, SCAP__ACCEPT, SCAP__REJECT);
	take_strings(c);
	return scap__filter_init_chooser(c->f) ? scap__no_memory(c->err) : 0;
}

int scap_filter_compile(const char *text, struct scap_filter **ret_f, struct scap_error *err)
{
	struct compiler c = { .err = err };
	int rc = scap__parse(text, &c.ast, err);

	if (rc < 0)
		return rc;
	c.f = calloc(1, sizeof(*c.f));
	rc = c.f ? compile(&c) : scap__no_memory(err);
	scap__ast_free(&c.ast);
	if (rc < 0)
		scap_filter_free(c.f);
	else
		*ret_f = c.f;
	return rc;
}

void scap_filter_free(struct scap_filter *f)
{
	if (!f)
		return;
	free(f->checks);
	free(f->constants);
	free(f->breaks);
	free(f->strings);
	free(f->text);
	free(f);
}
