/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the owner does not want the device to have: the properties "qp-types", "atomics", ... */
#include "qemu/osdep.h"
#include "qapi/error.h"

#include "device.h"
#include "vrnic_admin.h"

static const struct {
	const char *name;
	uint64_t feature;
} qp_types[] = {
	{ "rc", VRNIC_CAP_RC },
	{ "uc", VRNIC_CAP_UC },
	{ "ud", VRNIC_CAP_UD },
	{ "xrc", VRNIC_CAP_XRC },
};

static const struct {
	size_t property; /* a bool of VrnicState */
	uint64_t feature;
} switches[] = {
	{ offsetof(VrnicState, atomics), VRNIC_CAP_ATOMIC },
	{ offsetof(VrnicState, srq), VRNIC_CAP_SRQ },
	{ offsetof(VrnicState, memory_windows), VRNIC_CAP_WINDOWS },
	{ offsetof(VrnicState, fast_registration), VRNIC_CAP_FAST_REG },
	{ offsetof(VrnicState, kverbs), VRNIC_CAP_KERNEL },
};

/* 0: no such type. */
static uint64_t qp_type_feature(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(qp_types); i++)
		if (!strcmp(qp_types[i].name, name))
			return qp_types[i].feature;
	return 0;
}

/* "rc+ud": these and no others. */
static bool parse_qp_types(const char *text, uint64_t *features, Error **errp)
{
	g_auto(GStrv) names = g_strsplit(text, "+", -1);

	*features = 0;
	for (char **name = names; *name; name++) {
		uint64_t feature = qp_type_feature(*name);

		if (!feature) {
			error_setg(errp, "qp-types=%s: '%s' is none of rc, uc, ud, xrc", text, *name);
			return false;
		}
		*features |= feature;
	}
	if (*features)
		return true;
	error_setg(errp, "qp-types= names no type; there are rc, uc, ud, xrc, with + between");
	return false;
}

bool vrnic_parse_capabilities(const VrnicState *s, uint64_t *without, Error **errp)
{
	uint64_t types = VRNIC_CAP_QP_TYPES;

	if (s->qp_types && !parse_qp_types(s->qp_types, &types, errp))
		return false;
	if (s->qp_types && types & VRNIC_CAP_XRC && !s->srq) {
		error_setg(errp, "qp-types=%s: xrc needs shared receive queues (srq=on)", s->qp_types);
		return false;
	}
	*without = VRNIC_CAP_QP_TYPES & ~types;
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++)
		if (!*(const bool *)((const char *)s + switches[i].property))
			*without |= switches[i].feature;
	return true;
}
