// SPDX-License-Identifier: GPL-2.0

//! The guard as the holder of a device, for a registered filesystem.
//!
//! # Locking
//!
//! A notification comes under dax SRCU, for a failure under `mf_mutex` too.

use super::{
    super::removal::Removal,
    site::{
        Asked,
        Site, //
    },
};
use crate::{
    dax::{
        self,
        AnyDax, //
    },
    failure::{
        cause,
        Engine, //
    },
};
use kernel::{
    prelude::*,
    sync::{
        Arc,
        ArcBorrow, //
    },
};

/// The holder of a device.
pub(super) struct Sink {
    engine: Arc<Engine<Asked>>,
    site: Arc<Site>,
    removal: Arc<Removal<Asked, AnyDax>>,
}

impl Sink {
    /// A holder for the device of `site`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn new(engine: Arc<Engine<Asked>>, site: Arc<Site>) -> Result<Arc<Self>> {
        let removal = Removal::new(engine.clone(), site.device.clone(), site.pages.clone())?;
        let sink = Self {
            engine,
            site,
            removal,
        };
        Ok(Arc::new(sink, GFP_KERNEL)?)
    }
}

impl dax::FailureSink for Sink {
    fn notify_failure(this: ArcBorrow<'_, Self>, offset: u64, len: u64, mf_flags: c_int) -> Result {
        let blocks = this.engine.blocks(offset, len)?;
        if mf_flags & dax::MF_MEM_PRE_REMOVE != 0 {
            let queue = &this.site.queue;
            return this.removal.clone().begin(blocks, mf_flags, queue);
        }
        this.engine.failed(|| Some((blocks, ())), mf_flags, cause())
    }
}
