// SPDX-License-Identifier: GPL-2.0

//! Types of C headers that are copied from and to user space as they are. There is nothing to lock.

/// Numbers, arrays of them, and structs of these: any bytes make a value of the type, and user space may
/// see all bytes of one. Only [`plain`], which looks at the fields, makes structs `Plain`.
#[allow(dead_code, reason = "asked for when it is compiled, never called")]
pub(crate) trait Plain {}

impl Plain for u8 {}
impl Plain for u16 {}
impl Plain for i32 {}
impl Plain for u32 {}
impl Plain for u64 {}
impl<T: Plain, const N: usize> Plain for [T; N] {}

/// Makes a type of the C headers one that can be copied from and to user space. It does not compile
/// unless these are all fields of it, in these types, and there are no bytes between or behind them. What
/// an array at the end (`; name`) has room for is not part of it.
macro_rules! plain {
    ($type:ident { $($field:ident: $kind:ty),* $(; $array:ident)? }) => {
        const _: () = {
            assert!(
                0 $(+ size_of::<$kind>())* == size_of::<$type>(),
                "there is padding",
            );
            fn _fields(it: $type) -> ($($kind,)*) {
                let $type { $($field,)* $($array: _)? } = it;
                ($($field,)*)
            }
            fn _number<T: $crate::support::Plain>() {}
            fn _numbers() {
                $(_number::<$kind>();)*
            }
        };
        impl $crate::support::Plain for $type {}
        // SAFETY: All bytes belong to fields, which are numbers: `_fields`, `_numbers` and the assertion.
        unsafe impl kernel::transmute::AsBytes for $type {}
        // SAFETY: All fields are numbers, which may be any: `_fields` and `_numbers`.
        unsafe impl kernel::transmute::FromBytes for $type {}
    };
}
pub(crate) use plain;
