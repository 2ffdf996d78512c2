// SPDX-License-Identifier: GPL-2.0

//! Where a byte of a file is on the device: the one extent of FS_IOC_FIEMAP that has it.

use crate::{
    abi::{
        Fiemap,
        FiemapExtent, //
        FIEMAP_EXTENT_NOT_PLACED,
    },
    error::{
        bad_answer, //
        Error,
        Result,
    },
    sys::Buffer,
};

/// The argument of the request.
pub type Request = Buffer<Fiemap, FiemapExtent>;

/// Where the byte `offset` is on the device, `None` if it is in a hole. `ask` makes the request.
///
/// # Errors
///
/// Those of `ask`, and if the answer makes no sense.
pub fn physical(offset: u64, ask: impl FnOnce(&mut Request) -> Result<()>) -> Result<Option<u64>> {
    let head = Fiemap {
        fm_start: offset,
        fm_length: 1,
        fm_extent_count: 1,
        ..Fiemap::default()
    };
    let mut request = Request::new(&head, 1);
    ask(&mut request)?;
    let [extent] = request.records(request.head().fm_mapped_extents)? else {
        return Ok(None);
    };
    let Some(skip) = offset
        .checked_sub(extent.fe_logical)
        .filter(|&s| s < extent.fe_length)
    else {
        return Ok(None);
    };
    if extent.fe_flags & FIEMAP_EXTENT_NOT_PLACED != 0 {
        return Err(Error::new("the data has no place of its own on the device"));
    }
    let physical = extent.fe_physical.checked_add(skip);
    physical
        .map(Some)
        .ok_or_else(|| bad_answer("a range that cannot be"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(logical: u64, physical: u64, length: u64) -> FiemapExtent {
        FiemapExtent {
            fe_logical: logical,
            fe_physical: physical,
            fe_length: length,
            ..FiemapExtent::default()
        }
    }

    fn answer(offset: u64, extents: &[FiemapExtent]) -> Result<Option<u64>> {
        physical(offset, |request| {
            assert_eq!(request.head().fm_start, offset);
            request.room_mut()[..extents.len()].copy_from_slice(extents);
            request.head_mut().fm_mapped_extents = extents.len() as u32;
            Ok(())
        })
    }

    #[test]
    fn in_an_extent() {
        let extents = [extent(4096, 40960, 8192)];
        assert_eq!(answer(4096, &extents).unwrap(), Some(40960));
        assert_eq!(answer(12287, &extents).unwrap(), Some(49151));
    }

    #[test]
    fn in_a_hole() {
        assert_eq!(answer(4096, &[]).unwrap(), None);
        let extents = [extent(4096, 40960, 8192)];
        assert_eq!(answer(4095, &extents).unwrap(), None);
        assert_eq!(answer(12288, &extents).unwrap(), None);
        assert_eq!(answer(u64::MAX, &extents).unwrap(), None);
    }

    #[test]
    fn answers_that_cannot_be() {
        assert!(answer(8192, &[extent(0, u64::MAX - 4096, u64::MAX)]).is_err());
        let nowhere = FiemapExtent {
            fe_flags: 0x4,
            ..extent(0, 0, 4096)
        };
        assert!(answer(0, &[nowhere]).is_err());
        let too_many = physical(0, |request| {
            request.head_mut().fm_mapped_extents = 2;
            Ok(())
        });
        assert!(too_many.is_err());
    }
}
