// SPDX-License-Identifier: GPL-2.0

//! Runs properties with a seed that is printed.

use proptest::{
    strategy::Strategy,
    test_runner::{
        Config,
        RngAlgorithm,
        TestRng,
        TestRunner, //
    }, //
};
use std::{
    env,
    format,
    println,
    string::String,
    time::{
        SystemTime,
        UNIX_EPOCH, //
    }, //
};

/// Checks `test` with values of `strategy`: `cases` of them, unless the environment has it
/// otherwise.
pub(crate) fn check<S: Strategy>(name: &str, cases: u32, strategy: S, test: impl Fn(S::Value)) {
    let cases = match env::var("DAXRMAP_CASES") {
        Err(_) => cases,
        Ok(n) => match n.strip_prefix('x') {
            Some(times) => cases * times.parse::<u32>().unwrap(),
            None => n.parse().unwrap(),
        },
    };
    let seed: u64 = match env::var("DAXRMAP_SEED") {
        Ok(seed) => u64::from_str_radix(&seed, 16).unwrap(),
        Err(_) => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_nanos() as u64,
    };
    println!("{name}: {cases} cases, DAXRMAP_SEED={seed:x}");

    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let result = TestRunner::new_with_rng(config, rng).run(&strategy, |value| {
        test(value);
        Ok(())
    });
    if let Err(error) = result {
        let message: String = format!("{error}");
        panic!("{name}, DAXRMAP_SEED={seed:x}: {message}");
    }
}
