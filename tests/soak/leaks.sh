#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# leaks.sh REPORTS: what AddressSanitizer wrote when each QEMU ended (REPORTS.*) names nothing of ours. There are
# reports always, of QEMU's own. They are taken away: the next run has its own.
ls "$1".* >/dev/null || exit 1
grep -n -B12 -e qemu-device/ -e vrnic-qemu "$1".*
found=$?
rm "$1".*
[ $found -eq 1 ]
