// SPDX-License-Identifier: GPL-2.0

//! `mkfs.daxrmap`: makes a filesystem. See mkfs.daxrmap(8).

use crate::{
    device::{
        Access,
        Device, //
    },
    error::{
        Error, //
        Result,
    },
    escape::escape,
    foreign::{
        self,
        Known, //
    },
    size,
};
use clap::Parser;
use daxrmap_media::{
    disk::{
        Disk,
        Overlay, //
    },
    format::{
        self,
        log_blocks,
        Options,
        MAX_BLOCKS,
        MAX_LABEL,
        MIN_BLOCKS, //
    },
    superblock::{
        Content,
        Copies,
        Super, //
    },
    BLOCK_SIZE,
};
use rustix::rand::{
    getrandom,
    GetRandomFlags, //
};
use std::{
    ffi::OsStr,
    fs,
    io::{
        ErrorKind, //
        Write,
    },
    os::unix::ffi::OsStrExt,
    path::{
        Path,
        PathBuf, //
    },
    time::{
        Duration,
        SystemTime, //
    },
};
use uuid::{
    fmt::Hyphenated,
    Builder,
    Uuid, //
};

/// Makes a daxrmap filesystem on a block device, or on a file.
#[derive(Debug, Parser)]
#[command(name = "mkfs.daxrmap", version)]
pub struct Args {
    /// Make it even if something else is on the device
    #[arg(short)]
    pub force: bool,
    /// Its size in bytes, or with K, M, G, T or P; a file is made as large [default: all of DEV]
    #[arg(short, value_name = "SIZE", value_parser = size::parse)]
    pub size: Option<u64>,
    /// The size of each of its log's two regions, as -s has it [default: a 64th of all]
    #[arg(short, value_name = "SIZE", value_parser = size::parse)]
    pub log: Option<u64>,
    /// Its label, of 64 bytes at most
    #[arg(
        short = 'L',
        value_name = "LABEL",
        default_value = "",
        hide_default_value = true
    )]
    pub label: String,
    /// Its uuid [default: a random one]
    #[arg(short = 'U', value_name = "UUID", value_parser = uuid)]
    pub uuid: Option<Uuid>,
    /// Say what would be made, and write nothing
    #[arg(short = 'n')]
    pub dry_run: bool,
    /// Print nothing if it works
    #[arg(short)]
    pub quiet: bool,
    /// The block device or file
    #[arg(value_name = "DEV")]
    pub device: PathBuf,
}

fn uuid(text: &str) -> std::result::Result<Uuid, &'static str> {
    match text.parse().map(Hyphenated::into_uuid) {
        Ok(uuid) if uuid.is_nil() => Err("that of nobody"),
        Ok(uuid) => Ok(uuid),
        Err(_) => Err("not a uuid"),
    }
}

/// Does it.
///
/// # Errors
///
/// What made it impossible. Nothing has been written if that is an argument, or what the device is or
/// holds.
pub fn run(args: &Args, out: &mut impl Write) -> Result<()> {
    if args.label.len() > MAX_LABEL {
        return Err(Error::new(format!(
            "the label has {} bytes, {MAX_LABEL} is the most",
            args.label.len()
        )));
    }
    let made = make(args).map_err(|error| error.about(&args.device))?;
    if !args.quiet {
        let text = describe(&args.device, &made, args.dry_run);
        out.write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .map_err(|error| Error::from(error).about_what("standard output"))?;
    }
    Ok(())
}

fn make(args: &Args) -> Result<Super> {
    let path = args.device.as_path();
    args.size.map(check_size).transpose()?;
    let exists = !matches!(fs::metadata(path), Err(error) if error.kind() == ErrorKind::NotFound);
    if let (false, Some(size)) = (exists, args.size) {
        let size = whole_blocks(size);
        check_log(size, args.log)?;
        return if args.dry_run {
            format_dry(size, args)
        } else {
            let device = Device::create(path, size)?;
            format(device.file(), size, args)
        };
    }
    let access = if args.dry_run {
        Access::ReadAlone
    } else {
        Access::Write
    };
    let mut device = Device::open(path, access).map_err(|error| match error.errno() {
        Some(libc::EBUSY) => Error::new("it is in use: mounted, or part of another device"),
        _ => error,
    })?;
    let size = args.size.unwrap_or(device.size());
    check_size(size)?;
    if device.is_block() && size > device.size() {
        return Err(Error::new(format!(
            "there are no {size} bytes: it has {}",
            device.size()
        )));
    }
    let size = whole_blocks(size);
    check_log(size, args.log)?;
    let old = Copies::find(device.file(), device.blocks());
    let known = foreign::probe(path);
    if !args.force {
        refuse(&old, &known)?;
    }
    if args.dry_run {
        return format_dry(size, args);
    }
    if device.size() < size {
        device.extend(size)?;
    }
    if known != Known::Nothing {
        foreign::wipe(path, device.file(), device.size())?;
    }
    // Those of the new filesystem are written anew; there may be one behind its end.
    for copy in old.copies.iter().filter(|copy| copy.content.is_ours()) {
        device
            .file()
            .write(copy.block * BLOCK_SIZE, &[0; BLOCK_SIZE as usize])?;
    }
    let made = format(device.file(), size, args)?;
    match foreign::probe(path) {
        Known::Something(what) => Err(Error::new(format!(
            "it is made, but blkid still finds {what} too: see wipefs(8)"
        ))),
        Known::Nothing | Known::Unknown(_) => Ok(made),
    }
}

fn check_size(size: u64) -> Result<()> {
    let blocks = size / BLOCK_SIZE;
    if blocks < MIN_BLOCKS {
        let least = size::human(MIN_BLOCKS * BLOCK_SIZE);
        return Err(Error::new(format!(
            "too small: {size} bytes, {least} is the least"
        )));
    }
    if blocks > MAX_BLOCKS {
        let most = size::human(MAX_BLOCKS * BLOCK_SIZE);
        return Err(Error::new(format!(
            "too large: {size} bytes, {most} is the most"
        )));
    }
    Ok(())
}

fn check_log(size: u64, log: Option<u64>) -> Result<()> {
    let Some(log) = log else {
        return Ok(());
    };
    let fits = log_blocks(size / BLOCK_SIZE);
    let (blocks, size) = (log / BLOCK_SIZE, size::human(size));
    if blocks < *fits.start() {
        let least = size::human(fits.start() * BLOCK_SIZE);
        return Err(Error::new(format!(
            "regions of {log} bytes are too small for a log, {least} is the least"
        )));
    }
    if blocks > *fits.end() {
        let most = fits.end() * BLOCK_SIZE;
        return Err(Error::new(format!(
            "a log with two regions of {log} bytes is too large for {size}, {most} bytes is the most for one"
        )));
    }
    Ok(())
}

/// Without what is no whole block at the end.
fn whole_blocks(size: u64) -> u64 {
    size - size % BLOCK_SIZE
}

/// If something is on the device, or may be.
fn refuse(old: &Copies, known: &Known) -> Result<()> {
    let what = match known {
        _ if old.any() => match old.superblock() {
            Some(sb) => format!("a daxrmap filesystem ({})", sb.uuid),
            None => "a daxrmap filesystem, which is damaged or of another version".to_owned(),
        },
        Known::Something(what) => what.clone(),
        Known::Unknown(why) => {
            return Err(Error::new(format!(
                "nobody can tell whether it holds something: {why}; -f makes a filesystem of it"
            )));
        }
        Known::Nothing => {
            let mut copies = old.copies.iter();
            return match copies.find_map(|copy| match &copy.content {
                Content::Unreadable(error) => Some(error),
                _ => None,
            }) {
                Some(error) => Err(error.clone().into()),
                None => Ok(()),
            };
        }
    };
    Err(Error::new(format!(
        "it holds {what}; -f makes a filesystem of it all the same"
    )))
}

fn format_dry(size: u64, args: &Args) -> Result<Super> {
    format(&Overlay::<fs::File>::new(None), size, args)
}

fn format(disk: &impl Disk, size: u64, args: &Args) -> Result<Super> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let options = Options {
        blocks: size / BLOCK_SIZE,
        log: args.log.map(|log| log / BLOCK_SIZE),
        uuid: match args.uuid {
            Some(uuid) => uuid,
            None => Builder::from_random_bytes(random()?).into_uuid(),
        },
        label: args.label.clone(),
        now: now.unwrap_or(Duration::ZERO),
        random: u64::from_ne_bytes(random()?),
        secret: random()?,
    };
    Ok(format::format(disk, &options)?)
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    // So few come at once, or not at all.
    match getrandom(&mut bytes, GetRandomFlags::empty())? {
        n if n == N => Ok(bytes),
        _ => Err(Error::new("too few random bytes")),
    }
}

fn describe(path: &Path, made: &Super, dry_run: bool) -> String {
    let bytes = made.blocks * BLOCK_SIZE;
    let [first, second] = made.regions.map(|region| {
        let last = region.start + region.blocks - 1;
        format!("blocks {} to {last}", region.start)
    });
    // Those of a new filesystem are of one size.
    let log = size::human(made.regions[0].blocks * BLOCK_SIZE);
    let label = format!("label  {}", escape(OsStr::from_bytes(&made.label)));
    format!(
        "{}: daxrmap{}\n\
         uuid   {}\n\
         {}\n\
         size   {} blocks of {BLOCK_SIZE} bytes ({})\n\
         log    {first}, {second} ({log} each)\n",
        escape(path.as_os_str()),
        if dry_run { ", not made" } else { "" },
        made.uuid,
        label.trim_end(),
        made.blocks,
        size::human(bytes),
    )
}
