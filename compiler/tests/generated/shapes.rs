//! The shapes that the grammar of generated views consists of.
//!
//! In: the environment's list of shapes. Out: a [`Menu`] that says which of them may be used. Each shape can be switched alone:
//! `TVIEWC_GEN_SHAPES=full_join,window` uses only those two (beside plain columns and objects), `TVIEWC_GEN_SHAPES=-window` all
//! but one.

use std::collections::BTreeSet;

macro_rules! shapes {
    ($($variant:ident $name:literal $percent:literal;)*) => {
        /// A construct that a view may contain.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Shape { $($variant),* }

        impl Shape {
            pub const ALL: &'static [Shape] = &[$(Shape::$variant),*];

            pub fn name(self) -> &'static str {
                match self { $(Shape::$variant => $name),* }
            }

            /// How often it is taken, in percent, where it could be and the view is not about it.
            pub fn percent(self) -> u32 {
                match self { $(Shape::$variant => $percent),* }
            }
        }
    };
}

shapes! {
    InnerJoin           "inner_join"            35;
    LeftJoin            "left_join"             35;
    RightJoin           "right_join"            8;
    FullJoin            "full_join"             5;
    SelfJoin            "self_join"             15;
    CommaJoin           "comma_join"            12;
    UsingJoin           "using_join"            30;
    CompositeLink       "composite_link"        100;
    ValueJoin           "value_join"            10;
    ExpressionJoin      "expression_join"       8;
    NullSafeJoin        "null_safe_join"        4;
    RangeJoin           "range_join"            2;
    ScalarSubquery      "scalar_subquery"       20;
    OrderedLimit        "ordered_limit"         25;
    Exists              "exists"                15;
    NotExists           "not_exists"            12;
    InSubquery          "in_subquery"           10;
    NotIn               "not_in"                6;
    AnyAll              "any_all"               6;
    AnyArray            "any_array"             12;
    JsonbAgg            "jsonb_agg"             60;
    JsonAgg             "json_agg"              15;
    ArrayAgg            "array_agg"             15;
    StringAgg           "string_agg"            15;
    ObjectAgg           "object_agg"            15;
    ArraySubquery       "array_subquery"        12;
    AggDistinct         "agg_distinct"          12;
    AggFilter           "agg_filter"            15;
    PlainAggregates     "plain_aggregates"      40;
    Unordered           "unordered"             3;
    NestedArrays        "nested_arrays"         35;
    GroupBy             "group_by"              20;
    GroupByExpression   "group_by_expression"   10;
    Having              "having"                25;
    LateralJoin         "lateral_join"          10;
    LateralLimit        "lateral_limit"         30;
    Unnest              "unnest"                8;
    JsonElements        "json_elements"         8;
    DerivedTable        "derived_table"         12;
    Cte                 "cte"                   10;
    CteTwice            "cte_twice"             30;
    UnionAll            "union_all"             10;
    Union               "union"                 8;
    Except              "except"                6;
    Intersect           "intersect"             6;
    Distinct            "distinct"              8;
    DistinctOn          "distinct_on"           8;
    Window              "window"                10;
    Case                "case"                  15;
    Coalesce            "coalesce"              15;
    Cast                "cast"                  12;
    Operators           "operators"             15;
    RowComparison       "row_comparison"        8;
    JsonOperators       "json_operators"        12;
    JsonbConcat         "jsonb_concat"          8;
    ToJsonb             "to_jsonb"              12;
    RowToJson           "row_to_json"           6;
    JsonBuild           "json_build"            12;
    StripNulls          "strip_nulls"           8;
    UserFunction        "user_function"         8;
    SeveralDocuments    "several_documents"     20;
    TwoTableKey         "two_table_key"         6;
    CompositeKey        "composite_key"         100;
    UuidKey             "uuid_key"              100;
    TextKey             "text_key"              100;
    ViewOnView          "view_on_view"          12;
    FullRefresh         "full_refresh"          2;
    SelectFunctions     "select_functions"      25;
    IdleOuterJoin       "idle_outer_join"       6;
    PickedNumber        "picked_number"         6;
    Recursion           "recursion"             6;
    TableDefinition     "table_definition"      4;
    MaterializedView    "materialized_view"     4;
    JsonArray           "json_array"            8;
    GroupFollows        "group_follows"         30;
    CrossJoin           "cross_join"            10;
    CastKey             "cast_key"              5;
    GroupSides          "group_sides"           10;
    ConstantKey         "constant_key"          6;
    ElementKey          "element_key"           35;
    TwinArrays          "twin_arrays"           25;
    ArrayColumn         "array_column"          10;
    ViewElements        "view_elements"         35;
    ElementCount        "element_count"         30;
    RowIn               "row_in"                20;
    WindowBelow         "window_below"          10;
    FullChain           "full_chain"            30;
    MadeKey             "made_key"              6;
    ElementLink         "element_link"          6;
    CompositeField      "composite_field"       10;
    AtTimeZone          "at_time_zone"          8;
    ArrayKey            "array_key"             6;
    Guard               "guard"                 6;
    NullableConstant    "nullable_constant"     8;
    DomainEnum          "domain_enum"           10;
    Lookalikes          "lookalikes"            10;
    Nocase              "nocase"                8;
    ExistsBehind        "exists_behind"         10;
    TextLink            "text_link"             6;
    LongOrder           "long_order"            15;
    SortedElements      "sorted_elements"       20;
    EitherLink          "either_link"           8;
    AbsentPartner       "absent_partner"        6;
    SomeRows            "some_rows"             8;
}

impl Shape {
    /// What the tables have and not the view: it is noted, and cannot be what a view is about.
    fn is_noted_only(self) -> bool {
        matches!(self, Shape::CompositeKey | Shape::UuidKey | Shape::TextKey | Shape::CompositeLink)
    }
}

/// The shapes that may be used.
#[derive(Clone, Debug)]
pub struct Menu {
    on: BTreeSet<Shape>,
}

impl Menu {
    /// Reads a list of names; an unknown name is an error, since it would silently test nothing.
    pub fn parse(list: Option<&str>) -> Result<Menu, String> {
        let mut named = BTreeSet::new();
        let mut without = BTreeSet::new();
        for name in list.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let (set, bare) = match name.strip_prefix('-') {
                Some(bare) => (&mut without, bare),
                None => (&mut named, name),
            };
            let shape = Shape::ALL.iter().find(|shape| shape.name() == bare);
            let known = || Shape::ALL.iter().map(|shape| shape.name()).collect::<Vec<_>>().join(", ");
            set.insert(*shape.ok_or_else(|| format!("unknown shape `{bare}`; known are {}", known()))?);
        }
        let all = Shape::ALL.iter().copied();
        let wanted = |shape: &Shape| named.is_empty() || named.contains(shape) || shape.is_noted_only();
        Ok(Menu { on: all.filter(wanted).filter(|shape| !without.contains(shape)).collect() })
    }

    pub fn has(&self, shape: Shape) -> bool {
        self.on.contains(&shape)
    }

    /// What a view can be about.
    pub fn subjects(&self) -> Vec<Shape> {
        self.on.iter().copied().filter(|shape| !shape.is_noted_only()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_switch_shapes() {
        let all = Menu::parse(None).expect("no list");
        assert!(Shape::ALL.iter().all(|shape| all.has(*shape)));
        let two = Menu::parse(Some("window, full_join")).expect("known names");
        assert_eq!(two.subjects(), [Shape::FullJoin, Shape::Window]);
        let without = Menu::parse(Some("-window")).expect("known names");
        assert!(!without.has(Shape::Window) && without.has(Shape::Case));
        assert!(Menu::parse(Some("windows")).is_err());
    }
}
