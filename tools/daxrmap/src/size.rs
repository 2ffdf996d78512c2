// SPDX-License-Identifier: GPL-2.0

//! Sizes as text, to be read (mkfs) and to be printed.

const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// A number of bytes, with a letter for 1024 (K) and its powers (M, G, T, P), or without.
///
/// # Errors
///
/// What is wrong with it.
pub fn parse(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    // parse() takes a sign.
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("not a size".to_owned());
    }
    let shift = match &text[digits.len()..] {
        "" => 0,
        "K" | "k" => 10,
        "M" | "m" => 20,
        "G" | "g" => 30,
        "T" | "t" => 40,
        "P" | "p" => 50,
        _ => return Err("not a size: a number, and K, M, G, T or P".to_owned()),
    };
    if !digits.chars().all(|c| c.is_ascii_digit()) {
        return Err("not a size".to_owned());
    }
    let number: Option<u64> = digits.parse().ok();
    number
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| "too large".to_owned())
}

/// In the largest unit that gives 1 at least, with a digit behind the point unless that is 0.
pub fn human(bytes: u64) -> String {
    let Some(power) = (1..=UNITS.len())
        .rev()
        .find(|&power| bytes >> (10 * power) != 0)
    else {
        return format!("{bytes} bytes");
    };
    let unit = 1u64 << (10 * power);
    let tenths = (u128::from(bytes) * 10 / u128::from(unit)) as u64;
    let name = UNITS[power - 1];
    match tenths % 10 {
        0 => format!("{} {name}", tenths / 10),
        digit => format!("{}.{digit} {name}", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_text() {
        assert_eq!(parse("4096"), Ok(4096));
        assert_eq!(parse("2k"), Ok(2048));
        assert_eq!(parse("1T"), Ok(1 << 40));
        assert_eq!(parse("18446744073709551615"), Ok(u64::MAX));
        for bad in [
            "", "K", "-1", "+1", "1 K", "1KB", "0x10", "1.5G", "1e3", "\u{fc}", "3M4K",
        ] {
            assert!(parse(bad).unwrap_err().starts_with("not a size"), "{bad}");
        }
        for bad in ["18446744073709551616", "16384P", "99999999999T"] {
            assert_eq!(parse(bad), Err("too large".to_owned()), "{bad}");
        }
    }

    #[test]
    fn to_text() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1 KiB"),
            (1 << 30, "1 GiB"),
            ((1 << 30) - 1, "1023.9 MiB"),
            (3 << 29, "1.5 GiB"),
            (u64::MAX, "15.9 EiB"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }
}
