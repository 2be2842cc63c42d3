/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-2-Clause) */
/*
 * Little-endian field types shared by device, driver and library.
 *
 * Everything the guest and the device exchange is little-endian. In C the
 * types are the kernel's __leNN (sparse checks them); in C++ they are small
 * structures that convert to and from host order by themselves.
 */
#ifndef VRNIC_TYPES_H
#define VRNIC_TYPES_H

#ifdef __cplusplus

#include <cstddef>
#include <cstdint>
#include <type_traits>

template <typename T>
struct vrnic_le {
	T raw;

	static constexpr T swap(T v)
	{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		return v;
#else
		return static_cast<T>(sizeof(T) == 2 ? __builtin_bswap16(static_cast<uint16_t>(v)) :
				      sizeof(T) == 4 ? __builtin_bswap32(static_cast<uint32_t>(v)) :
						       __builtin_bswap64(v));
#endif
	}

	constexpr operator T() const { return swap(raw); }
	constexpr vrnic_le &operator=(T v)
	{
		raw = swap(v);
		return *this;
	}
};

using vrnic_le16 = vrnic_le<uint16_t>;
using vrnic_le32 = vrnic_le<uint32_t>;
using vrnic_le64 = vrnic_le<uint64_t>;
using vrnic_u8 = uint8_t;

#define VRNIC_ASSERT_SIZE(type, size)                                                              \
	static_assert(sizeof(type) == (size) && std::is_trivially_copyable<type>::value,           \
		      #type " has the wrong size")
#define VRNIC_ASSERT_OFFSET(type, field, offset)                                                   \
	static_assert(offsetof(type, field) == (offset), #type "." #field " is misplaced")

#else /* C */

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
#else
#include <assert.h>
#include <stddef.h>
#include <linux/types.h>
#endif

typedef __le16 vrnic_le16;
typedef __le32 vrnic_le32;
typedef __le64 vrnic_le64;
typedef __u8 vrnic_u8;

#define VRNIC_ASSERT_SIZE(type, size)                                                              \
	_Static_assert(sizeof(type) == (size), #type " has the wrong size")
#define VRNIC_ASSERT_OFFSET(type, field, offset)                                                   \
	_Static_assert(offsetof(type, field) == (offset), #type "." #field " is misplaced")

#endif

#endif /* VRNIC_TYPES_H */
