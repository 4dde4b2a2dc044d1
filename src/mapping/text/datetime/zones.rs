//! Abbreviations and names of time zones.

use super::Fault;

/// What an abbreviation stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// Seconds east of UTC.
    Standard(i32),
    /// Seconds east of UTC, in summer.
    Daylight(i32),
    /// An offset that has changed over time, which only the time zone database knows.
    Moving,
}

/// The meaning of an abbreviation in lower case: PostgreSQL's set "Default".
pub(super) fn abbreviation(word: &[u8]) -> Option<Zone> {
    Some(match word {
        b"hst" | b"taht" => Zone::Standard(-36_000),
        b"mart" => Zone::Standard(-34_200),
        b"akst" | b"gamt" => Zone::Standard(-32_400),
        b"pst" => Zone::Standard(-28_800),
        b"mst" => Zone::Standard(-25_200),
        b"cst" | b"galt" => Zone::Standard(-21_600),
        b"act" | b"cot" | b"est" | b"pet" => Zone::Standard(-18_000),
        b"amt" | b"ast" | b"bot" => Zone::Standard(-14_400),
        b"nft" | b"nst" => Zone::Standard(-12_600),
        b"bra" | b"brt" | b"gft" | b"pmst" | b"uyt" | b"wgt" => Zone::Standard(-10_800),
        b"fnt" => Zone::Standard(-7_200),
        b"azot" | b"egt" => Zone::Standard(-3_600),
        b"gmt" | b"uct" | b"ut" | b"utc" | b"wet" | b"z" | b"zulu" => Zone::Standard(0),
        b"cet" | b"met" | b"mez" | b"wat" => Zone::Standard(3_600),
        b"eet" | b"ist" | b"sast" => Zone::Standard(7_200),
        b"eat" | b"fet" => Zone::Standard(10_800),
        b"irt" => Zone::Standard(12_600),
        b"mut" | b"ret" | b"sct" => Zone::Standard(14_400),
        b"aft" => Zone::Standard(16_200),
        b"mvt" | b"pkt" | b"tft" | b"tjt" | b"uzt" => Zone::Standard(18_000),
        b"npt" => Zone::Standard(20_700),
        b"almt" | b"bdt" | b"btt" | b"xjt" => Zone::Standard(21_600),
        b"mmt" => Zone::Standard(23_400),
        b"cxt" | b"ict" | b"wast" => Zone::Standard(25_200),
        b"awst" | b"bnt" | b"bort" | b"cct" | b"hkt" | b"myt" | b"pht" => Zone::Standard(28_800),
        b"acwst" => Zone::Standard(31_500),
        b"jayt" | b"jst" | b"kst" | b"pwt" => Zone::Standard(32_400),
        b"acst" | b"cast" => Zone::Standard(34_200),
        b"aest" | b"chut" | b"ddut" | b"ligt" | b"mpt" | b"pgt" | b"trut" | b"yapt" => {
            Zone::Standard(36_000)
        }
        b"lhst" => Zone::Standard(37_800),
        b"pont" | b"vut" => Zone::Standard(39_600),
        b"fjt" | b"gilt" | b"mht" | b"nzst" | b"nzt" | b"tvt" | b"wakt" | b"wft" => {
            Zone::Standard(43_200)
        }
        b"chast" => Zone::Standard(45_900),
        b"tot" => Zone::Standard(46_800),
        b"akdt" => Zone::Daylight(-28_800),
        b"pdt" => Zone::Daylight(-25_200),
        b"mdt" => Zone::Daylight(-21_600),
        b"cdt" => Zone::Daylight(-18_000),
        b"edt" => Zone::Daylight(-14_400),
        b"adt" | b"clst" | b"pyst" => Zone::Daylight(-10_800),
        b"ndt" => Zone::Daylight(-9_000),
        b"brst" | b"pmdt" | b"uyst" | b"wgst" => Zone::Daylight(-7_200),
        b"fnst" => Zone::Daylight(-3_600),
        b"azost" | b"egst" => Zone::Daylight(0),
        b"bst" | b"wetdst" => Zone::Daylight(3_600),
        b"bdst" | b"cest" | b"cetdst" | b"mest" | b"mesz" | b"metdst" => Zone::Daylight(7_200),
        b"eest" | b"eetdst" | b"idt" => Zone::Daylight(10_800),
        b"msd" => Zone::Daylight(14_400),
        b"must" => Zone::Daylight(18_000),
        b"kgst" | b"pkst" | b"uzst" | b"yekst" => Zone::Daylight(21_600),
        b"almst" => Zone::Daylight(25_200),
        b"wadt" => Zone::Daylight(28_800),
        b"awsst" | b"ulast" | b"wdt" => Zone::Daylight(32_400),
        b"kdt" => Zone::Daylight(36_000),
        b"acdt" | b"acsst" | b"cadt" | b"sadt" => Zone::Daylight(37_800),
        b"aedt" | b"aesst" => Zone::Daylight(39_600),
        b"fjst" | b"nzdt" => Zone::Daylight(46_800),
        b"chadt" => Zone::Daylight(49_500),
        b"amst" | b"anast" | b"anat" | b"arst" | b"art" | b"azst" | b"azt" | b"ckt" | b"clt"
        | b"davt" | b"easst" | b"east" | b"fkst" | b"fkt" | b"gest" | b"get" | b"gyt" | b"iot"
        | b"irkst" | b"irkt" | b"kgt" | b"kost" | b"krast" | b"krat" | b"lhdt" | b"lint"
        | b"lkt" | b"magst" | b"magt" | b"mawt" | b"msk" | b"novst" | b"novt" | b"nut"
        | b"omsst" | b"omst" | b"petst" | b"pett" | b"pyt" | b"sgt" | b"tkt" | b"tmt" | b"ulat"
        | b"vet" | b"vlast" | b"vlat" | b"volt" | b"yakst" | b"yakt" | b"yekt" => Zone::Moving,
        _ => return None,
    })
}

/// The seconds west of UTC of a zone by its name in lower case, where no rules and no database are
/// needed for it: `etc/gmt+5`, `universal`, `utc-3`.
pub(super) fn named(name: &[u8]) -> Result<i32, Fault> {
    if name.len() < 3 {
        return Err(Fault::ZoneName);
    }
    let plain = name.strip_prefix(b"etc/").unwrap_or(name);
    match plain {
        b"utc" | b"uct" | b"gmt" | b"zulu" | b"universal" | b"greenwich" | b"gmt0" | b"gmt+0"
        | b"gmt-0" => return Ok(0),
        _ => {}
    }
    // Both the names of the database and POSIX count hours west of UTC as positive.
    let at = plain.iter().position(|byte| matches!(byte, b'+' | b'-')).ok_or(Fault::ZoneName)?;
    let (letters, offset) = plain.split_at(at);
    let known = if plain.len() < name.len() { letters == b"gmt" } else { is_posix(letters) };
    let hours = match offset[1..] {
        [ones @ b'0'..=b'9'] => i32::from(ones - b'0'),
        [b'1', ones @ b'0'..=b'4'] => 10 + i32::from(ones - b'0'),
        _ => return Err(Fault::ZoneName),
    };
    if !known || (plain.len() < name.len() && offset[0] == b'+' && hours > 12) {
        return Err(Fault::ZoneName);
    }
    Ok(if offset[0] == b'+' { hours * 3_600 } else { -hours * 3_600 })
}

fn is_posix(letters: &[u8]) -> bool {
    letters.len() >= 3 && letters.iter().all(u8::is_ascii_alphabetic)
}
