// SPDX-License-Identifier: GPL-2.0

//! Where a file is on the device: what FS_IOC_FIEMAP says of one byte, or of all.

use crate::{
    abi::{
        Fiemap,
        FiemapExtent, //
        FIEMAP_EXTENT_LAST,
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

/// Extents that are asked for at a time.
const BATCH: u32 = 128;

/// Gives all extents of a file to `visit`, as `flags` want them. `ask` makes the request.
///
/// # Errors
///
/// Those of `ask`, and if the answer makes no sense.
pub fn extents(
    flags: u32,
    mut ask: impl FnMut(&mut Request) -> Result<()>,
    mut visit: impl FnMut(&FiemapExtent),
) -> Result<()> {
    let mut request = Request::new(&Fiemap::default(), BATCH);
    let mut start = 0;
    loop {
        *request.head_mut() = Fiemap {
            fm_start: start,
            fm_length: u64::MAX - start,
            fm_flags: flags,
            fm_extent_count: BATCH,
            ..Fiemap::default()
        };
        ask(&mut request)?;
        let extents = request.records(request.head().fm_mapped_extents)?;
        for extent in extents {
            let end = extent.fe_logical.checked_add(extent.fe_length);
            let placed = extent.fe_physical.checked_add(extent.fe_length);
            let end = end.and(placed).and(end).filter(|&end| end > start);
            start = end.ok_or_else(|| bad_answer("a range that cannot be"))?;
            visit(extent);
        }
        match extents.last() {
            Some(last) if last.fe_flags & FIEMAP_EXTENT_LAST == 0 => {}
            _ => return Ok(()),
        }
    }
}

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

    /// All extents that `kernel` gives in batches of what there is room for, each behind the start.
    fn all(extents_there: &[FiemapExtent]) -> Result<Vec<FiemapExtent>> {
        let mut found = Vec::new();
        extents(
            0,
            |request| {
                let start = request.head().fm_start;
                let behind = |e: &&FiemapExtent| e.fe_logical + e.fe_length > start;
                let some = extents_there.iter().filter(behind).take(BATCH as usize);
                let some: Vec<_> = some.copied().collect();
                request.room_mut()[..some.len()].copy_from_slice(&some);
                request.head_mut().fm_mapped_extents = some.len() as u32;
                Ok(())
            },
            |extent| found.push(*extent),
        )?;
        Ok(found)
    }

    #[test]
    fn all_extents_of_a_file() {
        assert!(all(&[]).unwrap().is_empty());
        let mut many: Vec<_> = (0..1000)
            .map(|i| extent(8192 * i, 4096 * i, 4096))
            .collect();
        assert_eq!(all(&many).unwrap(), many);
        many[999].fe_flags = FIEMAP_EXTENT_LAST;
        assert_eq!(all(&many).unwrap(), many);
    }

    #[test]
    fn extents_that_cannot_be() {
        assert!(all(&[extent(4096, 0, 4096), extent(0, 4096, 4097)]).is_err());
        assert!(all(&[extent(0, u64::MAX, 4096)]).is_err());
        // Always the same one, never the last.
        let again = extents(
            0,
            |request| {
                request.room_mut()[0] = extent(0, 0, 4096);
                request.head_mut().fm_mapped_extents = 1;
                Ok(())
            },
            |_| {},
        );
        assert!(again.is_err());
    }
}
