#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# probe.sh OUTPUT KERNEL-RELEASE COMPILER-COMMAND PROBE.c...
# Compiles each probe and writes "#define VRNIC_HAVE_<NAME>" for those that compile.
set -u
out=$1 release=$2 cc=$3
shift 3
mkdir -p "$(dirname "$out")"
{
	echo "/* SPDX-License-Identifier: GPL-2.0 */"
	echo "/* Made by probe.sh for Linux $release */"
	for probe; do
		name=$(basename "$probe" .c)
		# $cc is a command with arguments: split on purpose.
		if $cc -Werror -Wno-unused -DMODULE -DKBUILD_MODNAME='"probe"' \
			-c -o "$out.o" "$probe" 2>"$out.log"; then
			echo "#define VRNIC_HAVE_$(echo "$name" | tr a-z A-Z) 1"
		else
			echo "/* no $name: $(grep -m1 -o 'error: .*' "$out.log" | tr -d '*/') */"
		fi
	done
} >"$out.new"
rm -f "$out.o" "$out.log"
mv "$out.new" "$out"
