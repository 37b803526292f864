//! A program of a few bytes that does nothing but end well, for the architectures that images are
//! made for: what a platform needs to run it is what it needs to run anything.

use crate::image::Platform;

/// Where the program is loaded: on a page of its own for the largest pages that Linux has.
const ADDRESS: u32 = 0x1_0000;

/// A segment that is loaded, and may be read and run.
const LOAD: u32 = 1;
const READ_AND_RUN: u32 = 5;

/// The processor of a platform, as an ELF file names it, and `exit(0)` in its own words.
struct Machine {
    wide: bool,
    big_endian: bool,
    number: u16,
    flags: u32,
    code: &'static [u8],
}

/// The program for a platform; `None` for one that this knows nothing of.
pub(super) fn program(platform: &Platform) -> Option<Vec<u8>> {
    if platform.os() != "linux" {
        return None;
    }
    Machine::of(platform.architecture()).map(|machine| machine.program())
}

impl Machine {
    fn of(architecture: &str) -> Option<Self> {
        let machine = |number, code| Self {
            wide: true,
            big_endian: false,
            number,
            flags: 0,
            code,
        };
        Some(match architecture {
            "amd64" => machine(62, b"\x31\xff\xb8\x3c\x00\x00\x00\x0f\x05"),
            "arm64" => machine(183, b"\x00\x00\x80\xd2\xa8\x0b\x80\xd2\x01\x00\x00\xd4"),
            "ppc64le" => Self {
                flags: 2,
                ..machine(21, b"\x01\x00\x00\x38\x00\x00\x60\x38\x02\x00\x00\x44")
            },
            "riscv64" => machine(243, b"\x13\x05\x00\x00\x93\x08\xd0\x05\x73\x00\x00\x00"),
            "s390x" => Self {
                big_endian: true,
                ..machine(22, b"\xa7\x29\x00\x00\x0a\x01")
            },
            "386" => Self {
                wide: false,
                ..machine(3, b"\x31\xdb\xb8\x01\x00\x00\x00\xcd\x80")
            },
            "arm" => Self {
                wide: false,
                flags: 0x0500_0400,
                ..machine(40, b"\x00\x00\xa0\xe3\x01\x70\xa0\xe3\x00\x00\x00\xef")
            },
            _ => return None,
        })
    }

    /// An ELF file: its header, one segment that holds all of it, and the code.
    fn program(&self) -> Vec<u8> {
        let (header, segment): (u16, u16) = if self.wide { (64, 56) } else { (52, 32) };
        let code = u32::from(header + segment);
        let size = code + u32::try_from(self.code.len()).expect("a few bytes");
        let class = if self.wide { 2 } else { 1 };
        let order = if self.big_endian { 2 } else { 1 };
        let mut elf = b"\x7fELF".to_vec();
        elf.extend([class, order, 1]);
        elf.resize(16, 0);
        // An executable, for this machine, of version 1.
        self.half(&mut elf, 2);
        self.half(&mut elf, self.number);
        self.word(&mut elf, 1);
        // Where it starts, where its segments are listed, and that it has no sections.
        self.address(&mut elf, ADDRESS + code);
        self.address(&mut elf, u32::from(header));
        self.address(&mut elf, 0);
        self.word(&mut elf, self.flags);
        for half in [header, segment, 1, 0, 0, 0] {
            self.half(&mut elf, half);
        }
        self.word(&mut elf, LOAD);
        if self.wide {
            self.word(&mut elf, READ_AND_RUN);
        }
        for number in [0, ADDRESS, ADDRESS, size, size] {
            self.address(&mut elf, number);
        }
        if !self.wide {
            self.word(&mut elf, READ_AND_RUN);
        }
        self.address(&mut elf, ADDRESS);
        elf.extend(self.code);
        elf
    }

    fn half(&self, elf: &mut Vec<u8>, number: u16) {
        elf.extend(if self.big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        });
    }

    fn word(&self, elf: &mut Vec<u8>, number: u32) {
        elf.extend(if self.big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        });
    }

    fn address(&self, elf: &mut Vec<u8>, number: u32) {
        match (self.wide, self.big_endian) {
            (false, _) => self.word(elf, number),
            (true, false) => elf.extend(u64::from(number).to_le_bytes()),
            (true, true) => elf.extend(u64::from(number).to_be_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Digest;

    #[test]
    fn the_programs_are_those_that_ran() {
        // Each of these ended well under QEMU's emulation of its processor.
        for (platform, size, digest) in PROVEN {
            let program = program(&platform.parse().unwrap()).unwrap();
            let digest_of = Digest::of(&program);
            assert_eq!(
                (program.len(), digest_of.hex()),
                (size, digest),
                "{platform}"
            );
        }
        for platform in ["windows/amd64", "linux/mips64le"] {
            assert_eq!(program(&platform.parse().unwrap()), None);
        }
    }

    const PROVEN: [(&str, usize, &str); 7] = [
        (
            "linux/amd64",
            129,
            "7e4da331219ca4bef23957248727bbb962394202cfcd7f7888f8edf84d5be27c",
        ),
        (
            "linux/arm64",
            132,
            "0e402dd8583743696a49445a7943e139fed2b6298ed02d8535febf51d2bf44fc",
        ),
        (
            "linux/arm/v7",
            96,
            "7fe15c76c89ccb3ad2850332ec2f1d7840bc0e06ad456cac686ba8ad82bc3375",
        ),
        (
            "linux/386",
            93,
            "691af2415c6bc683f137af4be30665d6f1e4d863d2135410cd7f38462e59fd8b",
        ),
        (
            "linux/riscv64",
            132,
            "5679acbcd222b8547fe1787ad873d55d8d20dc2f0d9a12133440caa34bc5fe82",
        ),
        (
            "linux/ppc64le",
            132,
            "490cb757738cce853af9cc4b7abe1766250dc63e2beadd3f00a5f4ddf6136d7b",
        ),
        (
            "linux/s390x",
            126,
            "8846802c67e79680ea59d6d4167025827e8df9e8b3221f8db9e4a3ade1466546",
        ),
    ];
}
