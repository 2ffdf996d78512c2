// SPDX-License-Identifier: GPL-2.0

//! A filesystem's type and its mounts: how they come and go, and who may reach one from below.
//!
//! - [`fs_type`]: a registered type. [`register`]: how it comes to be; mount and unmount.
//! - [`mountable`]: what a filesystem does for that. [`new_super`]: a super block that is being mounted.
//!   [`options`]: mount options. [`super_operations`]: what the VFS calls for a mount.
//! - [`gate`]: the way to a mount for who comes from the device. [`work`]: work that is started inside
//!   of the gate and done outside of it.
//!
//! `s_umount` keeps mount, remount and unmount from each other; the gate's mutex is inside of it. Each
//! file says more.

pub(super) mod fs_type;
pub(super) mod gate;
pub(super) mod mountable;
pub(super) mod new_super;
mod options;
mod register;
mod super_operations;
pub(super) mod work;
