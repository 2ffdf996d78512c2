// SPDX-License-Identifier: GPL-2.0

//! `daxrmap guard`: tells the module what to do, and writes down what it is to find after a boot.

use super::{
    flushed,
    print, //
};
use crate::{
    abi::DAXRMAP_GUARD_CXL,
    cli::guard::{
        GuardCommand,
        WrapArgs, //
    },
    error::{
        Error,
        Result, //
    },
    guard::{
        contents::{
            self,
            Slot, //
        },
        lists::{
            self,
            Machine, //
        },
        state::{
            Store,
            Wrap, //
        },
        wrap,
        Control, //
    },
    number::DeviceNumber,
    report,
    stack::{
        Kind,
        Sysfs, //
    },
    teller,
};
use std::{
    io::{
        self,
        BufRead,
        IsTerminal,
        Write, //
    },
    path::Path,
};

pub(super) fn guard(command: &GuardCommand, out: &mut impl Write) -> Result<Vec<Error>> {
    match command {
        GuardCommand::On => on(),
        GuardCommand::Off => {
            Control::open()?.watch(false)?;
            Ok(Vec::new())
        }
        GuardCommand::Status { json } => status(*json, out),
        GuardCommand::Hold { device, force } => hold(device, *force),
        GuardCommand::Release { device } => {
            let device = wrap::target(device, &Sysfs::default())?;
            Control::open()?
                .release(device.number)
                .map_err(|error| error.about(Path::new("/dev").join(device.name)))?;
            Ok(Vec::new())
        }
        GuardCommand::Wrap(args) if args.all => wrap_all(),
        GuardCommand::Wrap(args) => wrap_one(args, out),
        GuardCommand::Unwrap { device } => unwrap(device),
        GuardCommand::Save => {
            let store = Store::open()?;
            let mut state = store.load()?;
            let errors = lists::save(&Machine::this()?, &mut state)?;
            store.save(&state)?;
            Ok(errors)
        }
        GuardCommand::Restore => restore(),
    }
}

fn restore() -> Result<Vec<Error>> {
    let store = Store::open()?;
    let mut state = store.load()?;
    if state.lists.is_empty() {
        return Ok(Vec::new());
    }
    let errors = lists::restore(&Machine::this()?, &mut state)?;
    store.save(&state)?;
    Ok(errors)
}

/// What cannot be put back is said, but is no reason not to watch.
fn on() -> Result<Vec<Error>> {
    let control = Control::open()?;
    for error in restore().unwrap_or_else(|error| vec![error]) {
        eprintln!("daxrmap: {error}");
    }
    control.watch(true)?;
    Ok(Vec::new())
}

fn status(json: bool, out: &mut impl Write) -> Result<Vec<Error>> {
    let control = Control::open()?;
    let numbers = control.status()?;
    let mut devices = Vec::new();
    for device in control.devices()? {
        let number = DeviceNumber {
            major: device.major,
            minor: device.minor,
        };
        let uncovered = control.uncovered(number)?;
        let pages = |(page, count)| report::Pages { page, count };
        devices.push(report::GuardDeviceReport::new(
            &device,
            uncovered.into_iter().map(pages).collect(),
            xfs_on(number),
            teller::of(number, numbers.flags & DAXRMAP_GUARD_CXL != 0),
        ));
    }
    print(&report::GuardReport::new(&numbers, devices), json, out)?;
    Ok(Vec::new())
}

/// The names of the devices with an XFS that takes the holder's place.
fn xfs_on(device: DeviceNumber) -> Vec<String> {
    let sysfs = Sysfs::default();
    let slots = sysfs.block(device).and_then(|block| {
        let name = block.name().to_string_lossy().into_owned();
        contents::of_disk(&sysfs, &name)
    });
    let slots = slots.unwrap_or_default().into_iter();
    slots
        .filter(Slot::is_xfs_itself)
        .map(|slot| slot.name)
        .collect()
}

fn hold(path: &Path, force: bool) -> Result<Vec<Error>> {
    let sysfs = Sysfs::default();
    let device = wrap::target(path, &sysfs)?;
    let here = |error: Error| error.about(path);
    match sysfs.block(device.number)?.kind().map_err(here)? {
        Kind::Disk => {}
        Kind::Partition { of, .. } => {
            let disk = sysfs.block(of)?;
            return Err(here(Error::new(format!(
                "a partition has no holder of its own: hold /dev/{}",
                disk.name().display()
            ))));
        }
        Kind::Mapped => {
            return Err(here(Error::new(
                "a device of device-mapper: hold the pmem devices below it",
            )))
        }
    }
    let control = Control::open()?;
    if !force {
        contents::may_hold(&contents::of_disk(&sysfs, &device.name)?)?;
    }
    control.hold(device.number).map_err(here)?;
    Ok(Vec::new())
}

fn wrap_one(args: &WrapArgs, out: &mut impl Write) -> Result<Vec<Error>> {
    let Some(path) = &args.device else {
        return Err(Error::new("no device is given"));
    };
    let sysfs = Sysfs::default();
    let device = wrap::target(path, &sysfs)?;
    let name = match &args.name {
        Some(name) => name.clone(),
        None => format!("{}-guard", device.name),
    };
    wrap::check_name(&name)?;
    let mapped = wrap::mapped(&name);
    if mapped.exists() {
        return Err(
            Error::new("there is such a device already; take another --name").about(mapped),
        );
    }
    let uuid = wrap::check(&device, &sysfs)?;
    let table = wrap::table(&device, &sysfs)?;
    let store = Store::open()?;
    let mut state = store.load()?;

    let written = write!(
        out,
        "This makes {mapped}, a device of device-mapper, over the XFS on /dev/{device}:\n\
         \n    dmsetup create {name} --table '{table}'\n\
         \nNo byte is moved or written. The XFS is mounted from there afterwards, no more from /dev/{device}.\n\
         `daxrmap guard unwrap {name}` undoes it.\n",
        mapped = mapped.display(),
        device = device.name,
    );
    flushed(written, out)?;
    if !args.yes && !agreed()? {
        return Err(Error::new("nothing was done"));
    }
    wrap::make(&name, &table)?;
    state.wraps.retain(|wrap| wrap.name != name);
    state.wraps.push(Wrap {
        name: name.clone(),
        device: device.name.clone(),
        uuid,
    });
    let written = write!(
        out,
        "\nMade. To mount it, now and at boot (/etc/fstab; daxrmap-guard.service makes it again), and to hold \
         what is below:\n\
         \n    mount -t xfs -o dax=always {mapped} MNT\
         \n    {mapped}  MNT  xfs  dax=always,x-systemd.requires=daxrmap-guard.service  0  0\
         \n    daxrmap guard hold /dev/{disk}\n",
        mapped = mapped.display(),
        disk = disk_of(&device, &sysfs),
    );
    flushed(written, out)?;
    match store.save(&state) {
        Ok(()) => Ok(Vec::new()),
        Err(error) => Ok(vec![Error::new(format!(
            "the device is there, but not written down for the next boot: {error}"
        ))
        .about(mapped)]),
    }
}

/// The name of the disk that a device is, or is on.
fn disk_of(device: &wrap::Target, sysfs: &Sysfs) -> String {
    let disk = sysfs
        .block(device.number)
        .and_then(|block| match block.kind()? {
            Kind::Partition { of, .. } => sysfs.block(of),
            _ => Ok(block),
        });
    disk.map_or_else(
        |_| device.name.clone(),
        |disk| disk.name().to_string_lossy().into_owned(),
    )
}

fn agreed() -> Result<bool> {
    let stdin = io::stdin().lock();
    if !stdin.is_terminal() {
        return Err(Error::new("there is nobody to ask: say --yes"));
    }
    eprint!("Go on? [y/N] ");
    let mut answer = String::new();
    let mut stdin = stdin;
    stdin.read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()))
}

/// Makes those that are written down, and are not there.
fn wrap_all() -> Result<Vec<Error>> {
    let sysfs = Sysfs::default();
    let wraps = Store::open()?.load()?.wraps;
    let again = |wrap: &Wrap| {
        if wrap::mapped(&wrap.name).exists() {
            return Ok(());
        }
        wrap::check_name(&wrap.name)?;
        let device = wrap::find_again(wrap, &sysfs)?;
        wrap::check(&device, &sysfs)?;
        wrap::make(&wrap.name, &wrap::table(&device, &sysfs)?)
    };
    Ok(wraps.iter().filter_map(|wrap| again(wrap).err()).collect())
}

fn unwrap(path: &Path) -> Result<Vec<Error>> {
    let store = Store::open()?;
    let mut state = store.load()?;
    let is_it = |wrap: &Wrap| {
        [
            Path::new(&wrap.name),
            &wrap::mapped(&wrap.name),
            &Path::new("/dev").join(&wrap.device),
        ]
        .contains(&path)
    };
    let Some(at) = state.wraps.iter().position(is_it) else {
        return Err(
            Error::new("nothing is written down that was made over it, or is called so")
                .about(path),
        );
    };
    let name = state.wraps[at].name.clone();
    if wrap::mapped(&name).exists() {
        wrap::remove(&name, &Sysfs::default())?;
    }
    state.wraps.remove(at);
    store.save(&state)?;
    Ok(Vec::new())
}
