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
    let moving = || has_moved(word).then_some(Zone::Moving);
    let daylight = || daylight(word).map(Zone::Daylight).or_else(moving);
    standard(word).map(Zone::Standard).or_else(daylight)
}

fn standard(word: &[u8]) -> Option<i32> {
    Some(match word {
        b"hst" | b"taht" => -36_000,
        b"mart" => -34_200,
        b"akst" | b"gamt" => -32_400,
        b"pst" => -28_800,
        b"mst" => -25_200,
        b"cst" | b"galt" => -21_600,
        b"act" | b"cot" | b"est" | b"pet" => -18_000,
        b"amt" | b"ast" | b"bot" => -14_400,
        b"nft" | b"nst" => -12_600,
        b"bra" | b"brt" | b"gft" | b"pmst" | b"uyt" | b"wgt" => -10_800,
        b"fnt" => -7_200,
        b"azot" | b"egt" => -3_600,
        b"gmt" | b"uct" | b"ut" | b"utc" | b"wet" | b"z" | b"zulu" => 0,
        b"cet" | b"met" | b"mez" | b"wat" => 3_600,
        b"eet" | b"ist" | b"sast" => 7_200,
        b"eat" | b"fet" => 10_800,
        b"irt" => 12_600,
        b"mut" | b"ret" | b"sct" => 14_400,
        b"aft" => 16_200,
        b"mvt" | b"pkt" | b"tft" | b"tjt" | b"uzt" => 18_000,
        b"npt" => 20_700,
        b"almt" | b"bdt" | b"btt" | b"xjt" => 21_600,
        b"mmt" => 23_400,
        b"cxt" | b"ict" | b"wast" => 25_200,
        b"awst" | b"bnt" | b"bort" | b"cct" | b"hkt" | b"myt" | b"pht" => 28_800,
        b"acwst" => 31_500,
        b"jayt" | b"jst" | b"kst" | b"pwt" => 32_400,
        b"acst" | b"cast" => 34_200,
        b"aest" | b"chut" | b"ddut" | b"ligt" | b"mpt" | b"pgt" | b"trut" | b"yapt" => 36_000,
        b"lhst" => 37_800,
        b"pont" | b"vut" => 39_600,
        b"fjt" | b"gilt" | b"mht" | b"nzst" | b"nzt" | b"tvt" | b"wakt" | b"wft" => 43_200,
        b"chast" => 45_900,
        b"tot" => 46_800,
        _ => return None,
    })
}

fn daylight(word: &[u8]) -> Option<i32> {
    Some(match word {
        b"akdt" => -28_800,
        b"pdt" => -25_200,
        b"mdt" => -21_600,
        b"cdt" => -18_000,
        b"edt" => -14_400,
        b"adt" | b"clst" | b"pyst" => -10_800,
        b"ndt" => -9_000,
        b"brst" | b"pmdt" | b"uyst" | b"wgst" => -7_200,
        b"fnst" => -3_600,
        b"azost" | b"egst" => 0,
        b"bst" | b"wetdst" => 3_600,
        b"bdst" | b"cest" | b"cetdst" | b"mest" | b"mesz" | b"metdst" => 7_200,
        b"eest" | b"eetdst" | b"idt" => 10_800,
        b"msd" => 14_400,
        b"must" => 18_000,
        b"kgst" | b"pkst" | b"uzst" | b"yekst" => 21_600,
        b"almst" => 25_200,
        b"wadt" => 28_800,
        b"awsst" | b"ulast" | b"wdt" => 32_400,
        b"kdt" => 36_000,
        b"acdt" | b"acsst" | b"cadt" | b"sadt" => 37_800,
        b"aedt" | b"aesst" => 39_600,
        b"fjst" | b"nzdt" => 46_800,
        b"chadt" => 49_500,
        _ => return None,
    })
}

fn has_moved(word: &[u8]) -> bool {
    matches!(
        word,
        b"amst"
            | b"anast"
            | b"anat"
            | b"arst"
            | b"art"
            | b"azst"
            | b"azt"
            | b"ckt"
            | b"clt"
            | b"davt"
            | b"easst"
            | b"east"
            | b"fkst"
            | b"fkt"
            | b"gest"
            | b"get"
            | b"gyt"
            | b"iot"
            | b"irkst"
            | b"irkt"
            | b"kgt"
            | b"kost"
            | b"krast"
            | b"krat"
            | b"lhdt"
            | b"lint"
            | b"lkt"
            | b"magst"
            | b"magt"
            | b"mawt"
            | b"msk"
            | b"novst"
            | b"novt"
            | b"nut"
            | b"omsst"
            | b"omst"
            | b"petst"
            | b"pett"
            | b"pyt"
            | b"sgt"
            | b"tkt"
            | b"tmt"
            | b"ulat"
            | b"vet"
            | b"vlast"
            | b"vlat"
            | b"volt"
            | b"yakst"
            | b"yakt"
            | b"yekt"
    )
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
