/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "idxdvd/common/cleanup.h"
#include "idxdvd/common/parse.h"
#include "libvirt/domain.h"

static void free_doc(xmlDoc **doc)
{
	if (*doc)
		xmlFreeDoc(*doc);
}

static int bad(char why[DOMAIN_WHY_LEN], const char *fmt, ...) _printf_(2, 3);

static int bad(char why[DOMAIN_WHY_LEN], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, DOMAIN_WHY_LEN, fmt, ap);
	va_end(ap);
	return -EBADMSG;
}

/* --- the tree -------------------------------------------------------------------------------- */

static bool is_element(const xmlNode *n, const char *name, const char *ns)
{
	if (n->type != XML_ELEMENT_NODE || strcmp((const char *)n->name, name))
		return false;
	return ns ? n->ns && !strcmp((const char *)n->ns->href, ns) : !n->ns;
}

static xmlNode *first(const xmlNode *parent, const char *name, const char *ns)
{
	for (xmlNode *n = parent ? parent->children : NULL; n; n = n->next)
		if (is_element(n, name, ns))
			return n;
	return NULL;
}

/* "" and false if there is none; -ENAMETOOLONG is a word that is cut, which matches nothing. */
static bool attribute(xmlNode *n, const char *name, char *buf, size_t size)
{
	xmlChar *value = n ? xmlGetNoNsProp(n, (const xmlChar *)name) : NULL;

	buf[0] = '\0';
	if (!value)
		return false;
	snprintf(buf, size, "%s", (const char *)value);
	xmlFree(value);
	return true;
}

/* --- mdevs ----------------------------------------------------------------------------------- */

static struct domain_mdev *find(struct domain *d, const char *uuid)
{
	for (size_t i = 0; i < d->n_mdevs; i++)
		if (!strcmp(d->mdevs[i].uuid, uuid))
			return &d->mdevs[i];
	return NULL;
}

static int add_hostdev(struct domain *d, xmlNode *hostdev, char why[DOMAIN_WHY_LEN])
{
	char word[DOMAIN_WORD_LEN], uuid[DOMAIN_UUID_LEN];

	if (!attribute(hostdev, "type", word, sizeof(word)) || strcmp(word, "mdev"))
		return 0;
	attribute(first(first(hostdev, "source", NULL), "address", NULL), "uuid", word, sizeof(word));
	if (parse_uuid(word, uuid) < 0)
		return bad(why, "a hostdev of type mdev has '%s' for a UUID", word);
	if (find(d, uuid))
		return 0;
	if (d->n_mdevs == DOMAIN_MAX_MDEVS)
		return bad(why, "more than %d mdevs", DOMAIN_MAX_MDEVS);

	d->mdevs[d->n_mdevs] = (struct domain_mdev){ .min_size = -1, .numa_node = -1 };
	snprintf(d->mdevs[d->n_mdevs++].uuid, DOMAIN_UUID_LEN, "%s", uuid);
	return 0;
}

/* A number that is left out is -1. */
static int number(xmlNode *n, const char *name, int max, int *ret, char why[DOMAIN_WHY_LEN])
{
	char word[DOMAIN_WORD_LEN];
	int v;

	if (!attribute(n, name, word, sizeof(word)))
		return 0;
	if (parse_int(word, &v) < 0 || v < 0 || v > max)
		return bad(why, "metadata: %s is '%s', not a number from 0 to %d", name, word, max);
	*ret = v;
	return 0;
}

/* A name that we do not know could be a condition that we would not keep. */
static int check_names(const xmlNode *n, char why[DOMAIN_WHY_LEN])
{
	static const char *const names[] = {
		"uuid", "type", "mode", "min-size", "numa-node", "parent", "placement",
	};

	for (const xmlAttr *a = n->properties; a; a = a->next) {
		bool known = false;

		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			known |= !strcmp((const char *)a->name, names[i]);
		if (!known)
			return bad(why, "metadata: an mdev has no '%.40s'", (const char *)a->name);
	}
	return 0;
}

static int describe(struct domain *d, xmlNode *n, char why[DOMAIN_WHY_LEN])
{
	char word[DOMAIN_WORD_LEN], uuid[DOMAIN_UUID_LEN];
	struct domain_mdev *m;
	int r;

	attribute(n, "uuid", word, sizeof(word));
	if (parse_uuid(word, uuid) < 0)
		return bad(why, "metadata: an mdev has '%s' for a UUID", word);
	m = find(d, uuid);
	if (!m)
		return 0;		/* the domain has it no more */

	if (!attribute(n, "type", m->type, sizeof(m->type)))
		return bad(why, "metadata: mdev %s has no type", uuid);
	attribute(n, "parent", m->parent, sizeof(m->parent));
	attribute(n, "placement", m->placement, sizeof(m->placement));
	if (attribute(n, "mode", word, sizeof(word)) &&
	    strcmp(word, strstr(m->type, "-1swq-") ? "shared" : "dedicated"))
		return bad(why, "metadata: mdev %s wants the mode '%s', which the type %s has not",
			   uuid, word, m->type);
	r = check_names(n, why);
	if (r >= 0)
		r = number(n, "min-size", 65535, &m->min_size, why);
	if (r >= 0)
		r = number(n, "numa-node", 1023, &m->numa_node, why);
	m->described = r >= 0;
	return r;
}

static int read_tree(struct domain *d, xmlNode *root, char why[DOMAIN_WHY_LEN])
{
	xmlNode *n, *uuid = first(root, "uuid", NULL);
	xmlChar *text = uuid ? xmlNodeGetContent(uuid) : NULL;
	int r;

	r = text ? parse_uuid((const char *)text, d->uuid) : -EINVAL;
	xmlFree(text);
	if (r < 0)
		return bad(why, "the domain has no UUID");

	n = first(root, "devices", NULL);
	for (n = n ? n->children : NULL; n; n = n->next) {
		r = is_element(n, "hostdev", NULL) ? add_hostdev(d, n, why) : 0;
		if (r < 0)
			return r;
	}

	n = first(first(root, "metadata", NULL), "mdevs", DOMAIN_NAMESPACE);
	for (n = n ? n->children : NULL; n; n = n->next) {
		r = is_element(n, "mdev", DOMAIN_NAMESPACE) ? describe(d, n, why) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

int domain_parse(struct domain *ret, const char *text, size_t len, char why[DOMAIN_WHY_LEN])
{
	_cleanup_(free_doc) xmlDoc *doc = NULL;
	struct domain d = { 0 };
	xmlNode *root;
	int r;

	if (len > DOMAIN_MAX_SIZE)
		return bad(why, "it is longer than %d bytes", DOMAIN_MAX_SIZE);
	/* Entities stay what they are, and nothing is fetched. */
	doc = xmlReadMemory(text, len, NULL, NULL,
			    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	root = doc ? xmlDocGetRootElement(doc) : NULL;
	if (!root || !is_element(root, "domain", NULL))
		return bad(why, "it is no <domain>");

	r = read_tree(&d, root, why);
	if (r < 0)
		return r;
	*ret = d;
	return 0;
}
