/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is to go wrong on purpose: the properties "faults" and "loss". */
#include "qemu/osdep.h"
#include "qapi/error.h"

#include "device.h"

enum { RULES_SIZE_MAX = 16384 };

char *vrnic_faults_get(Object *object, Error **errp)
{
	VrnicState *s = VRNIC(object);
	char *rules;

	if (!s->bridge)
		return g_strdup(s->faults ? s->faults : "");
	rules = g_malloc0(RULES_SIZE_MAX);
	vrnic_bridge_faults(s->bridge, rules, RULES_SIZE_MAX);
	return rules;
}

static bool set_rules(VrnicState *s, const char *rules, Error **errp)
{
	char error[512];

	if (vrnic_bridge_set_faults(s->bridge, rules, error, sizeof(error)))
		return true;
	error_setg(errp, "%s", error);
	return false;
}

/* May be changed at run time, and then replaces all rules, that of "loss" too. */
void vrnic_faults_set(Object *object, const char *rules, Error **errp)
{
	VrnicState *s = VRNIC(object);

	if (s->bridge) {
		set_rules(s, rules, errp);
		return;
	}
	g_free(s->faults);
	s->faults = g_strdup(rules);
}

/* "loss=0.01" is short for the first rule. */
bool vrnic_faults_start(VrnicState *s, Error **errp)
{
	const char *rules = s->faults ? s->faults : "";
	char number[G_ASCII_DTOSTR_BUF_SIZE];
	g_autofree char *all = NULL;
	char *end = NULL;
	double share;

	if (!s->loss)
		return set_rules(s, rules, errp);
	share = g_ascii_strtod(s->loss, &end);
	if (end == s->loss || *end || !(share >= 0.0 && share <= 1.0)) {
		error_setg(errp, "loss=%s is not a share of packets between 0 and 1, as 0.01", s->loss);
		return false;
	}
	/* Six places count, and no locale. */
	g_ascii_formatd(number, sizeof(number), "%.6f", share);
	all = g_strdup_printf("drop,probability=%s;%s", number, rules);
	return set_rules(s, all, errp);
}
