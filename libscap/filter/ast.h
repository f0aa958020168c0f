/* SPDX-License-Identifier: MIT */
/* A filter as a tree, between parser and compiler. */
#ifndef SCAP_FILTER_AST_H
#define SCAP_FILTER_AST_H

#include "filter/field.h"
#include "filter/lex.h"

#define SCAP__FILTER_MAX_BYTES 65536
#define SCAP__FILTER_MAX_DEPTH 100
#define SCAP__NO_NODE UINT32_MAX

enum scap__op {
	SCAP__OP_EXISTS,
	SCAP__OP_EQ,
	SCAP__OP_NE,
	SCAP__OP_LT,
	SCAP__OP_LE,
	SCAP__OP_GT,
	SCAP__OP_GE,
	SCAP__OP_CONTAINS,
	SCAP__OP_ICONTAINS,
	SCAP__OP_STARTSWITH,
	SCAP__OP_ENDSWITH,
	SCAP__OP_GLOB,
	SCAP__OP_IGLOB,
	SCAP__OP_IN,
};

enum scap__node_kind {
	SCAP__NODE_CHECK,
	SCAP__NODE_AND,
	SCAP__NODE_OR,
	SCAP__NODE_NOT,
};

/* Children hang in a list from the last to the first: the compiler emits them in that order. */
struct scap__node {
	uint8_t kind;
	uint8_t op;
	uint32_t last_child, previous;
	/* a check: */
	struct scap__field_token field;
	size_t op_column;
	uint32_t first_value, n_values;
};

/* A constant as written, escapes resolved. */
struct scap__literal {
	const char *p;
	size_t n;
	size_t column;
};

struct scap__ast {
	struct scap__node *nodes;
	struct scap__literal *values;
	uint32_t n_nodes, n_values;
	uint32_t cap_nodes, cap_values;
	uint32_t root;
	char *text;		/* a copy of the filter: field tokens point into it */
	char *strings;		/* what literals point into */
	size_t n_strings;
};

const char *scap__op_name(unsigned op);
/* On success the tree must be freed; on failure there is nothing to free. */
int scap__parse(const char *text, struct scap__ast *ret_ast, struct scap_error *err);
void scap__ast_free(struct scap__ast *ast);

#endif
