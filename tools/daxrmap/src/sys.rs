// SPDX-License-Identifier: GPL-2.0

//! System calls that take the structs of [`abi`](crate::abi). All `unsafe` is here.

use crate::{
    abi::FileHandle,
    error::{
        bad_answer, //
        Result,
    },
};
use rustix::ioctl::Opcode;
use std::{
    io,
    marker::PhantomData,
    os::fd::{
        AsRawFd,
        BorrowedFd,
        FromRawFd,
        OwnedFd, //
    },
};
use zerocopy::{
    FromBytes,
    Immutable,
    IntoBytes,
    KnownLayout, //
};

/// A struct of the kernel.
pub trait Plain: FromBytes + IntoBytes + KnownLayout + Immutable {}

impl<T: FromBytes + IntoBytes + KnownLayout + Immutable> Plain for T {}

/// The argument of an ioctl: a head, and room for records behind it.
pub struct Buffer<H, R> {
    /// In words, which are aligned enough for both.
    words: Vec<u64>,
    room: u32,
    types: PhantomData<(H, R)>,
}

impl<H: Plain, R: Plain> Buffer<H, R> {
    const CHECK: () = {
        assert!(align_of::<H>() <= align_of::<u64>() && align_of::<R>() <= align_of::<u64>());
        assert!(size_of::<H>() % size_of::<u64>() == 0 && size_of::<R>() % size_of::<u64>() == 0);
    };

    /// Room for so many records.
    pub fn new(head: &H, room: u32) -> Self {
        let () = Self::CHECK;
        let bytes = size_of::<H>() + size_of::<R>() * room as usize;
        let mut buffer = Self {
            words: vec![0; bytes / size_of::<u64>()],
            room,
            types: PhantomData,
        };
        head.write_to_prefix(buffer.words.as_mut_bytes())
            .expect("there is room for the head");
        buffer
    }

    /// For how many records there is room.
    pub fn room(&self) -> u32 {
        self.room
    }

    /// The head.
    pub fn head(&self) -> &H {
        let (head, _) = H::ref_from_prefix(self.words.as_bytes()).expect("new() checked it");
        head
    }

    /// The head, to be changed.
    pub fn head_mut(&mut self) -> &mut H {
        let (head, _) = H::mut_from_prefix(self.words.as_mut_bytes()).expect("new() checked it");
        head
    }

    /// The first `n` records, as many as the kernel says that it has put there.
    ///
    /// # Errors
    ///
    /// If there is no room for so many.
    pub fn records(&self, n: u32) -> Result<&[R]> {
        let room = self.words.as_bytes().get(size_of::<H>()..);
        let records = room.and_then(|room| <[R]>::ref_from_bytes(room).ok());
        records
            .and_then(|records| records.get(..n as usize))
            .ok_or_else(|| bad_answer("more records than there is room for"))
    }

    /// All room for records, to play the kernel in tests.
    #[cfg(test)]
    pub(crate) fn room_mut(&mut self) -> &mut [R] {
        let room = &mut self.words.as_mut_bytes()[size_of::<H>()..];
        <[R]>::mut_from_bytes(room).unwrap()
    }
}

/// ioctl(2) with a request that reads and writes no more than the buffer, as those of
/// [`abi`](crate::abi) do if the head says how much room there is.
///
/// # Errors
///
/// Those of the request.
pub fn ioctl<H: Plain, R: Plain>(
    fd: BorrowedFd<'_>,
    request: Opcode,
    buffer: &mut Buffer<H, R>,
) -> io::Result<()> {
    let arg = buffer.words.as_mut_ptr();
    // SAFETY: The argument points to the head and room for the records, which the kernel may write
    // to; it keeps no pointer.
    match unsafe { libc::ioctl(fd.as_raw_fd(), request as libc::Ioctl, arg) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// ioctl(2) with a request that returns a file descriptor, and reads no more than the head.
///
/// # Errors
///
/// Those of the request.
pub fn ioctl_for_fd<H: Plain>(
    fd: BorrowedFd<'_>,
    request: Opcode,
    head: &H,
) -> io::Result<OwnedFd> {
    // SAFETY: The argument points to the head, which the kernel reads; it keeps no pointer.
    let fd = unsafe { libc::ioctl(fd.as_raw_fd(), request as libc::Ioctl, (&raw const *head)) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: The kernel has just given it to us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// open_by_handle_at(2), with `O_PATH`: nothing of the file is touched.
///
/// # Errors
///
/// `ESTALE` if the file is gone, `EPERM` without `CAP_DAC_READ_SEARCH`.
pub fn open_by_handle(mount: BorrowedFd<'_>, handle: &FileHandle) -> io::Result<OwnedFd> {
    let mut handle = *handle;
    if handle.handle_bytes as usize > handle.f_handle.len() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let arg = (&raw mut handle).cast();
    // SAFETY: It is a file handle with as many bytes as it says, at least.
    let fd =
        unsafe { libc::open_by_handle_at(mount.as_raw_fd(), arg, libc::O_PATH | libc::O_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: The kernel has just given it to us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A descriptor that we were started with, by another number: it can be closed.
///
/// # Errors
///
/// `EBADF` if there is none.
pub fn inherited(fd: i32) -> io::Result<OwnedFd> {
    // SAFETY: It takes numbers only, and closes nothing.
    let copy = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3) };
    if copy < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: The kernel has just given it to us.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::{
        Lost,
        LostHead, //
    };

    #[test]
    fn no_more_records_than_there_is_room() {
        let mut buffer = Buffer::<LostHead, Lost>::new(&LostHead::default(), 3);
        buffer.room_mut()[2].ino = 7;
        assert_eq!(buffer.records(3).unwrap()[2].ino, 7);
        assert!(buffer.records(0).unwrap().is_empty());
        assert!(buffer.records(4).is_err());
        assert!(buffer.records(u32::MAX).is_err());
    }

    #[test]
    fn the_head_is_before_the_records() {
        let head = LostHead {
            count: 2,
            ..LostHead::default()
        };
        let mut buffer = Buffer::<LostHead, Lost>::new(&head, 2);
        buffer.room_mut().fill(Lost {
            ino: u64::MAX,
            ..Lost::default()
        });
        assert_eq!(*buffer.head(), head);
        buffer.head_mut().entries = 1;
        assert_eq!(buffer.head().entries, 1);
        assert_eq!(buffer.records(1).unwrap()[0].ino, u64::MAX);
    }

    #[test]
    fn no_handle_that_is_longer_than_its_room() {
        let here = std::fs::File::open("/").unwrap();
        let handle = FileHandle {
            handle_bytes: 33,
            ..FileHandle::default()
        };
        let fd = std::os::fd::AsFd::as_fd(&here);
        let error = open_by_handle(fd, &handle).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
