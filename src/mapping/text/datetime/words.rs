//! The words of dates and of intervals.

/// What a word means in a date or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Infinity,
    MinusInfinity,
    Epoch,
    /// `now` and its like.
    Relative,
    /// Midnight UTC.
    AllBalls,
    Month(i32),
    Weekday,
    Am,
    Pm,
    Bc,
    Ad,
    /// `dst` behind an abbreviation.
    Daylight,
    /// What the next number is.
    Label(Label),
    /// The `T` before a time.
    IsoTime,
    Ignored,
}

/// What a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    Julian,
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Time,
    /// A word that may stand before a number, but no number can follow.
    Useless,
}

/// The meaning of a word in lower case.
pub(super) fn date_word(word: &[u8]) -> Option<Word> {
    Some(match word {
        b"-infinity" => Word::MinusInfinity,
        b"infinity" => Word::Infinity,
        b"epoch" => Word::Epoch,
        b"now" | b"today" | b"tomorrow" | b"yesterday" => Word::Relative,
        b"allballs" => Word::AllBalls,
        b"ad" => Word::Ad,
        b"bc" => Word::Bc,
        b"am" => Word::Am,
        b"pm" => Word::Pm,
        b"at" | b"on" => Word::Ignored,
        b"dst" => Word::Daylight,
        b"t" => Word::IsoTime,
        b"d" => Word::Label(Label::Day),
        b"h" => Word::Label(Label::Hour),
        b"j" | b"jd" | b"julian" => Word::Label(Label::Julian),
        b"m" => Word::Label(Label::Month),
        b"mm" => Word::Label(Label::Minute),
        b"s" => Word::Label(Label::Second),
        b"y" => Word::Label(Label::Year),
        b"dow" | b"doy" | b"isodow" | b"isoyear" => Word::Label(Label::Useless),
        b"sun" | b"sunday" | b"mon" | b"monday" | b"tue" | b"tues" | b"tuesday" | b"wed"
        | b"wednesday" | b"weds" | b"thu" | b"thur" | b"thurs" | b"thursday" | b"fri"
        | b"friday" | b"sat" | b"saturday" => Word::Weekday,
        _ => return month(word).map(Word::Month),
    })
}

fn month(word: &[u8]) -> Option<i32> {
    Some(match word {
        b"jan" | b"january" => 1,
        b"feb" | b"february" => 2,
        b"mar" | b"march" => 3,
        b"apr" | b"april" => 4,
        b"may" => 5,
        b"jun" | b"june" => 6,
        b"jul" | b"july" => 7,
        b"aug" | b"august" => 8,
        b"sep" | b"sept" | b"september" => 9,
        b"oct" | b"october" => 10,
        b"nov" | b"november" => 11,
        b"dec" | b"december" => 12,
        _ => return None,
    })
}

/// Whether letters of any case are a word of dates.
pub(super) fn is_date_word(letters: &[u8]) -> bool {
    let mut lower = [0; 10];
    lower.get_mut(..letters.len()).is_some_and(|lower| {
        lower.copy_from_slice(letters);
        lower.make_ascii_lowercase();
        date_word(lower).is_some()
    })
}

/// A unit of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
    Decade,
    Century,
    Millennium,
    /// `quarter` and `timezone` are words of intervals, but no number can have them.
    Useless,
}

/// What a word means in an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IntervalWord {
    Unit(Unit),
    Ago,
}

/// The meaning of a word in lower case; PostgreSQL looks at its first ten letters only.
pub(super) fn interval_word(word: &[u8]) -> Option<IntervalWord> {
    let unit = match &word[..word.len().min(10)] {
        b"ago" => return Some(IntervalWord::Ago),
        b"c" | b"cent" | b"centuries" | b"century" => Unit::Century,
        b"d" | b"day" | b"days" => Unit::Day,
        b"dec" | b"decade" | b"decades" | b"decs" => Unit::Decade,
        b"h" | b"hour" | b"hours" | b"hr" | b"hrs" => Unit::Hour,
        b"m" | b"min" | b"mins" | b"minute" | b"minutes" => Unit::Minute,
        b"microsecon" | b"us" | b"usec" | b"useconds" | b"usecond" | b"usecs" => Unit::Microsecond,
        b"mil" | b"millennia" | b"millennium" | b"mils" => Unit::Millennium,
        b"millisecon" | b"ms" | b"msec" | b"msecond" | b"mseconds" | b"msecs" => Unit::Millisecond,
        b"mon" | b"mons" | b"month" | b"months" => Unit::Month,
        b"s" | b"sec" | b"second" | b"seconds" | b"secs" => Unit::Second,
        b"w" | b"week" | b"weeks" => Unit::Week,
        b"y" | b"year" | b"years" | b"yr" | b"yrs" => Unit::Year,
        b"qtr" | b"quarter" | b"timezone" => Unit::Useless,
        _ => return None,
    };
    Some(IntervalWord::Unit(unit))
}
