// SPDX-License-Identifier: GPL-2.0

//! Both directions of the map at once: pages of files get blocks and lose them.
//!
//! What begins where is known to the extents of the file, which the owner tree could only find by
//! looking at all owners of a block. So whoever changes one changes both, here: each record of the
//! tree is one extent of one file, merged and split with it, and a page that has a block cannot get
//! another one.
//!
//! The caller holds the state lock.

use super::{
    ExtentMap,
    FileExtent,
    OwnerRecord,
    OwnerTree, //
};
use core::ops::Range;
use kernel::prelude::*;

/// What [`OwnerTree::unmap`] took away.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unmapped {
    /// The owners that are no more: pages of one file.
    pub(crate) owner: OwnerRecord,
    /// How many of the blocks have no owner now.
    pub(crate) ownerless: u64,
}

impl OwnerTree {
    /// Gives pages of file `ino`, which are a hole, the blocks of `extent`. What continues an
    /// extent, or is continued by one, both on the device and in the file, becomes one with it.
    ///
    /// # Errors
    ///
    /// `EUCLEAN` if the extent is not valid, or not all of it is a hole; `ENOMEM` without a
    /// reservation ([`reserve`](Self::reserve), [`reserve_extents`](Self::reserve_extents)).
    /// Nothing has changed then. `EUCLEAN` also if the two directions do not agree, which should
    /// not be; they are to be changed no more then.
    pub(crate) fn map(&mut self, file: &mut ExtentMap, ino: u64, extent: FileExtent) -> Result {
        extent.owner(ino).validate()?;
        let (prev, next) = file.neighbours(&extent)?;
        let next_len = next.map_or(0, |next| next.len);
        let len = extent.len.saturating_add(next_len);

        match prev {
            Some(prev) => {
                let len = prev.len.saturating_add(len);
                self.set_len(file, ino, FileExtent { len, ..prev })?;
            }
            None => self.add(file, ino, FileExtent { len, ..extent })?,
        }
        match next {
            Some(next) => self.drop_one(file, ino, next),
            None => Ok(()),
        }
    }

    /// Takes the blocks from some of `pages` of file `ino`: from the first of them that have any,
    /// as far as they are of one extent. Returns `None` if all of them are a hole. One change.
    ///
    /// # Errors
    ///
    /// Those of [`map`](Self::map).
    pub(crate) fn unmap(
        &mut self,
        file: &mut ExtentMap,
        ino: u64,
        pages: Range<u64>,
    ) -> Result<Option<Unmapped>> {
        let Some(whole) = file.next(pages.start) else {
            return Ok(None);
        };
        let Some(gone) = whole.clip(&pages) else {
            return Ok(None);
        };
        let left = whole.clip(&(whole.pgoff..gone.pgoff));
        let right = whole.clip(&(gone.pgoff_end()..whole.pgoff_end()));

        // What may lack memory comes first.
        if let Some(right) = right {
            self.add(file, ino, right)?;
        }
        match left {
            Some(left) => self.set_len(file, ino, left)?,
            None => self.drop_one(file, ino, whole)?,
        }
        let owner = gone.owner(ino);
        Ok(Some(Unmapped {
            owner,
            ownerless: self.ownerless(owner.block..owner.end()),
        }))
    }

    /// Makes those of `pages` of file `ino` that have blocks unwritten, or written. What continues what is
    /// of its kind then becomes one with it. At most two records are added, and two extents, however many
    /// there are.
    ///
    /// # Errors
    ///
    /// Those of [`map`](Self::map). Some may be done then.
    pub(crate) fn convert(
        &mut self,
        file: &mut ExtentMap,
        ino: u64,
        pages: Range<u64>,
        unwritten: bool,
    ) -> Result {
        let mut rest = pages;
        while let Some(whole) = file.next(rest.start) {
            let Some(part) = whole.clip(&rest) else { break };
            rest.start = part.pgoff_end();
            if whole.unwritten == unwritten {
                continue;
            }
            let part = FileExtent { unwritten, ..part };
            if let Some(right) = whole.clip(&(part.pgoff_end()..whole.pgoff_end())) {
                self.add(file, ino, right)?;
            }
            match whole.clip(&(whole.pgoff..part.pgoff)) {
                Some(left) => {
                    self.set_len(file, ino, left)?;
                    self.map(file, ino, part)?;
                }
                None => {
                    self.set_len(file, ino, part)?;
                    self.join(file, ino, part)?;
                }
            }
        }
        Ok(())
    }

    /// Makes an extent one with what it continues, and with what continues it.
    fn join(&mut self, file: &mut ExtentMap, ino: u64, extent: FileExtent) -> Result {
        let mut whole = extent;
        let next = file.next(extent.pgoff_end());
        if let Some(next) = next.filter(|next| extent.continued_by(next)) {
            self.drop_one(file, ino, next)?;
            whole.len = whole.len.saturating_add(next.len);
        }
        let prev = file.last_before(extent.pgoff);
        if let Some(prev) = prev.filter(|prev| prev.continued_by(&extent)) {
            self.drop_one(file, ino, extent)?;
            whole = FileExtent {
                len: prev.len.saturating_add(whole.len),
                ..prev
            };
        }
        if whole == extent {
            return Ok(());
        }
        self.set_len(file, ino, whole)
    }

    fn add(&mut self, file: &mut ExtentMap, ino: u64, extent: FileExtent) -> Result {
        let owner = extent.owner(ino);
        self.insert(owner)?;
        let added = file.insert(extent, &mut self.extent_spare);
        if added.is_err() {
            self.remove(owner)?;
        }
        added
    }

    fn drop_one(&mut self, file: &mut ExtentMap, ino: u64, extent: FileExtent) -> Result {
        self.remove(extent.owner(ino))?;
        file.remove(&extent, &mut self.extent_spare)
    }

    fn set_len(&mut self, file: &mut ExtentMap, ino: u64, extent: FileExtent) -> Result {
        self.resize(extent.owner(ino))?;
        file.resize(extent)
    }
}
