// SPDX-License-Identifier: GPL-2.0

//! Points in time as text, in UTC.

/// Seconds since 1970 as a date and time in UTC.
pub(super) fn date(seconds: i64) -> String {
    let days = seconds.div_euclid(86400);
    let time = seconds.rem_euclid(86400);
    // Years begin in March here, so that leap days are at their ends; 400 of them are an era.
    let days = days.saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    format!(
        "{:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC",
        era * 400 + year + next,
        time / 3600,
        time / 60 % 60,
        time % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_799, "2000-02-29 23:59:59 UTC"),
            (951_868_800, "2000-03-01 00:00:00 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (1_795_289_445, "2026-11-21 19:30:45 UTC"),
            (-1, "1969-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(date(seconds), text);
        }
        // Whatever a superblock says.
        for seconds in [i64::MIN, i64::MAX] {
            assert!(date(seconds).ends_with(" UTC"));
        }
    }
}
