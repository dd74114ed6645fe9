//! The table of diagnostic codes: one row drives the enum, its number, its name and its severity.
//!
//! A code is `TV` and four digits, never reused: 00xx input, output and configuration, 01xx syntax,
//! 02xx names, 03xx document shape, 04xx keys and joins, 05xx graph, 06xx performance and fallback,
//! 07xx migration hazards, 99xx a bug of ours. Each has a page `docs/codes/TV….md`.

use super::Severity;

macro_rules! codes {
    ($($variant:ident = $number:literal $name:literal $severity:ident;)*) => {
        /// What a diagnostic is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(
            #[doc = concat!("`", $number, "` ", $name)]
            $variant,
        )* }

        impl Code {
            /// Every code, by number.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// `TV0401`.
            pub fn number(self) -> &'static str {
                match self { $(Code::$variant => $number),* }
            }

            /// `missing-key`.
            pub fn name(self) -> &'static str {
                match self { $(Code::$variant => $name),* }
            }

            /// What it is unless a directive says otherwise.
            pub fn severity(self) -> Severity {
                match self { $(Code::$variant => Severity::$severity),* }
            }

            /// The code's page: what it means, why, the ways out.
            pub fn page(self) -> &'static str {
                match self { $(Code::$variant => include_str!(concat!("../../../docs/codes/", $number, ".md"))),* }
            }
        }
    };
}

codes! {
    UnreadableFile       = "TV0001" "unreadable-file"        Error;
    SyntaxError          = "TV0101" "syntax-error"           Error;
    MisreadSyntax        = "TV0102" "misread-syntax"         Error;
    UnknownDirective     = "TV0103" "unknown-directive"      Error;
    UnknownTable         = "TV0201" "unknown-table"          Error;
    UnknownColumn        = "TV0202" "unknown-column"         Error;
    AmbiguousColumn      = "TV0203" "ambiguous-column"       Error;
    DuplicateName        = "TV0204" "duplicate-name"         Error;
    UnsupportedQuery     = "TV0301" "unsupported-query"      Error;
    UnsupportedExpr      = "TV0302" "unsupported-expression" Error;
    VolatileFunction     = "TV0303" "volatile-function"      Error;
    UntraceableFunction  = "TV0304" "untraceable-function"   Error;
    NoTotalOrder         = "TV0305" "no-total-order"         Warning;
    DuplicateField       = "TV0306" "duplicate-field"        Warning;
    NotMaterialized      = "TV0307" "not-materialized"       Note;
    NullFieldName        = "TV0308" "null-field-name"        Warning;
    MissingKey           = "TV0401" "missing-key"            Error;
    UnlinkedTable        = "TV0402" "unlinked-table"         Error;
    UnsupportedKey       = "TV0403" "unsupported-key"        Error;
    TviewNameClash       = "TV0404" "tview-name-clash"       Error;
    CyclicViews          = "TV0501" "cyclic-views"           Error;
    MissingIndex         = "TV0601" "missing-index"          Warning;
    CoarseLock           = "TV0602" "coarse-lock"            Note;
    ArrayRecomputed      = "TV0603" "array-recomputed"       Warning;
    WindowOfAll          = "TV0604" "window-of-all"          Warning;
    FailingComparison    = "TV0605" "failing-comparison"     Warning;
    ChainOfAll           = "TV0606" "chain-of-all"           Warning;
    MadeOfRows           = "TV0607" "made-of-rows"           Warning;
    PartsOfAll           = "TV0608" "parts-of-all"           Warning;
    GroupOfAll           = "TV0609" "group-of-all"           Warning;
    UntriggeredSource    = "TV0701" "untriggered-source"     Error;
    ForcedRowSecurity    = "TV0702" "forced-row-security"    Warning;
    Internal             = "TV9901" "internal-error"         Error;
}
