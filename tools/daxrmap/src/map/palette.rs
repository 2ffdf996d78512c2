// SPDX-License-Identifier: GPL-2.0

//! Colours that are told apart by how bright they are, whatever hues one sees: on a light page, on a dark page, and
//! of a terminal.
//!
//! The more owners, the farther from the background. What is bad has a hue of its own, which those who see no red
//! tell by its brightness, and a cross or a letter.

use super::class::Class;

/// Red, green, blue, as sRGB has them.
pub type Color = [u8; 3];

/// The colours of a page.
#[derive(Debug)]
pub struct Theme {
    /// Behind all.
    pub background: Color,
    /// Of text.
    pub text: Color,
    /// Of what is less than text.
    pub faint: Color,
    /// Around the cells of the file that is looked at.
    pub mark: Color,
    classes: [Color; Class::ALL.len()],
}

impl Theme {
    /// The colour of a cell.
    pub fn of(&self, class: Class) -> Color {
        self.classes[class as usize]
    }
}

/// By day. The classes are in the order of their declaration, here and below.
pub const LIGHT: Theme = Theme {
    background: [0xff, 0xff, 0xff],
    text: [0x1b, 0x1f, 0x24],
    faint: [0x59, 0x63, 0x6e],
    mark: [0x00, 0x00, 0x00],
    classes: [
        [0xe4, 0xe9, 0xef],
        [0xe1, 0xc8, 0xa0],
        [0x63, 0xbb, 0xeb],
        [0x92, 0x9a, 0xa6],
        [0x03, 0x96, 0x6c],
        [0x74, 0x36, 0xbd],
        [0x40, 0x28, 0x97],
        [0xc5, 0x44, 0x03],
    ],
};

/// By night.
pub const DARK: Theme = Theme {
    background: [0x10, 0x14, 0x18],
    text: [0xe6, 0xed, 0xf3],
    faint: [0x91, 0x98, 0xa1],
    mark: [0xff, 0xff, 0xff],
    classes: [
        [0x2d, 0x31, 0x35],
        [0x55, 0x40, 0x1b],
        [0x03, 0x5d, 0x83],
        [0x64, 0x6b, 0x76],
        [0x0b, 0x91, 0x69],
        [0xc4, 0xa3, 0xfd],
        [0xd2, 0xd2, 0xfe],
        [0xfe, 0x65, 0x26],
    ],
};

/// Of a terminal with 256 colours, by number: of the letter, and behind it. What is free has none, as nobody knows
/// how bright the terminal is.
pub fn terminal(class: Class) -> Option<(u8, u8)> {
    const BLACK: u8 = 16;
    const WHITE: u8 = 231;
    match class {
        Class::Free => None,
        Class::Unknown => Some((BLACK, 187)),
        Class::Data => Some((BLACK, 75)),
        Class::Metadata => Some((BLACK, 246)),
        Class::Shared2 => Some((BLACK, 65)),
        Class::Bad => Some((WHITE, 160)),
        Class::Shared3 => Some((WHITE, 92)),
        Class::Shared10 => Some((WHITE, 54)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two that touch are told apart by this.
    const APART: f64 = 1.25;
    /// What one reads wants that (WCAG 2, AA).
    const READABLE: f64 = 4.5;

    fn linear(color: Color) -> [f64; 3] {
        color.map(|c| {
            let c = f64::from(c) / 255.0;
            match c <= 0.04045 {
                true => c / 12.92,
                false => ((c + 0.055) / 1.055).powf(2.4),
            }
        })
    }

    fn luminance([red, green, blue]: [f64; 3]) -> f64 {
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Relative luminances, one to the other.
    fn contrast(a: Color, b: Color) -> f64 {
        let [a, b] = [a, b].map(|color| luminance(linear(color)) + 0.05);
        a.max(b) / a.min(b)
    }

    /// What is seen without the cones for red, green or blue (Machado, Oliveira and Fernandes, 2009).
    const SEEN: [[[f64; 3]; 3]; 4] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    ];

    /// CIE L*a*b* of a colour as somebody sees it.
    fn lab(color: Color, seen: &[[f64; 3]; 3]) -> [f64; 3] {
        let rgb = linear(color);
        let dot = |row: &[f64; 3]| row.iter().zip(rgb).map(|(a, b)| a * b).sum::<f64>();
        let [r, g, b] = [0, 1, 2].map(|i| dot(&seen[i]).clamp(0.0, 1.0));
        let xyz = [
            (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
            0.2126 * r + 0.7152 * g + 0.0722 * b,
            (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
        ];
        let [x, y, z] = xyz.map(|t| match t > 0.008856 {
            true => t.cbrt(),
            false => 7.787 * t + 16.0 / 116.0,
        });
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
        let squares = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b));
        squares.sum::<f64>().sqrt()
    }

    /// All pairs are apart: by luminance, and in the eyes of each.
    fn told_apart(colors: &[(&str, Color)]) {
        for (i, (one, a)) in colors.iter().enumerate() {
            for (other, b) in &colors[i + 1..] {
                let by = contrast(*a, *b);
                assert!(by >= APART, "{one}, {other}: {by:.2}");
                for (who, seen) in SEEN.iter().enumerate() {
                    let by = distance(lab(*a, seen), lab(*b, seen));
                    assert!(by >= 10.0, "{one}, {other} to {who}: {by:.1}");
                }
            }
        }
    }

    #[test]
    fn pages() {
        for theme in [&LIGHT, &DARK] {
            let mut colors: Vec<_> = Class::ALL
                .into_iter()
                .map(|class| (class.label(), theme.of(class)))
                .collect();
            told_apart(&colors);
            // What is free may be near to it.
            colors.remove(0);
            colors.push(("background", theme.background));
            told_apart(&colors);
            let free = contrast(theme.of(Class::Free), theme.background);
            assert!(free > 1.15, "{free:.2}");
            for text in [theme.text, theme.faint] {
                assert!(contrast(text, theme.background) >= READABLE);
            }
        }
    }

    /// What xterm's numbers from 16 on are.
    fn numbered(number: u8) -> Color {
        let level = |i: u8| [0, 95, 135, 175, 215, 255][usize::from(i)];
        match number {
            232.. => [8 + 10 * (number - 232); 3],
            _ => [(number - 16) / 36, (number - 16) / 6 % 6, (number - 16) % 6].map(level),
        }
    }

    #[test]
    fn terminals() {
        assert_eq!(numbered(75), [95, 175, 255]);
        let mut colors = vec![("black", [0; 3]), ("white", [255; 3])];
        for class in Class::ALL {
            let Some((letter, behind)) = terminal(class) else {
                continue;
            };
            let behind = numbered(behind);
            let by = contrast(numbered(letter), behind);
            assert!(by >= READABLE, "{}: {by:.2}", class.label());
            colors.push((class.label(), behind));
        }
        assert_eq!(colors.len(), 2 + Class::ALL.len() - 1);
        told_apart(&colors);
    }
}
