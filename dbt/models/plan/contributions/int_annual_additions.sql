-- What everyone and their employer finally contribute: the annual additions within the limit. Code section 415(c).
-- Additions = deferrals without catch-up + after-tax + match + core + reallocated forfeitures, at most the limit and
-- the paid compensation of the whole year. Deferrals above the limit become catch-up first, as far as its limit has
-- room (section 414(v)(3)(A)). What is still too much is cut in the plan's order of after-tax, core and match;
-- reallocated forfeitures are cut just before core, and wait for the next year. Safe-harbor money is cut last, in the
-- same order, after deferrals that earn no match, pre-tax before Roth. Roth is the plan's share of both parts of the
-- deferral, and all of the catch-up that section 414(v)(7) wants to be Roth. All in whole cents.
-- Long because each cut works on what the one before left; a table between would hold everyone once more.
with

contributions as (
    select
        people.employee_id,
        people.paid_cents,
        {{ cents('deferrals.deferral') }} as deferral,
        {{ cents('deferrals.catch_up') }} as catch_up,
        {{ cents('deferrals.catch_up_limit') }} as catch_up_limit,
        coalesce(deferrals.is_catch_up_roth, false) as is_catch_up_roth,
        {{ cents('deferrals.after_tax') }} as after_tax,
        {{ cents('matches.match_amount') }} as match_amount,
        {{ cents('matches.matched_deferral') }} as matched_deferral,
        {{ cents('cores.core_amount') }} as core_formula_amount,
        {{ cents('reallocations.reallocated') }} as reallocated
    from {{ ref('int_employment') }} as people
    left join {{ ref('int_elective_deferrals') }} as deferrals
        on people.employee_id = deferrals.employee_id
    left join {{ ref('int_employer_match') }} as matches
        on people.employee_id = matches.employee_id
    left join {{ ref('int_employer_core') }} as cores
        on people.employee_id = cores.employee_id
    left join {{ ref('int_reallocations') }} as reallocations
        on people.employee_id = reallocations.employee_id
),

orders as (
    select string_split({{ param('limit_415_order') }}, ',') as cut_order
),

rules as (
    select
        (limits.annual_additions_limit * 100)::bigint as annual_additions_limit,
        match_formulas.kind in ('safe_harbor', 'qaca') as is_match_safe,
        core_formulas.kind in ('safe_harbor', 'qaca') as is_core_safe,
        list_position(orders.cut_order, 'after_tax') as after_tax_turn,
        list_position(orders.cut_order, 'core') as core_turn,
        list_position(orders.cut_order, 'match') as match_turn
    from {{ ref('stg_irs_limits') }} as limits
    cross join {{ parameters('match_formulas') }} as match_formulas
    cross join {{ parameters('core_formulas') }} as core_formulas
    cross join orders
    where match_formulas.formula = 'current'
),

weighed as (
    select
        contributions.employee_id,
        contributions.deferral,
        contributions.catch_up as catch_up_before,
        contributions.catch_up_limit,
        contributions.is_catch_up_roth,
        contributions.matched_deferral,
        contributions.after_tax,
        contributions.match_amount,
        contributions.core_formula_amount,
        contributions.reallocated,
        rules.after_tax_turn,
        rules.core_turn,
        rules.match_turn,
        greatest(
            contributions.deferral - contributions.catch_up + contributions.after_tax
            + contributions.match_amount + contributions.core_formula_amount + contributions.reallocated
            - least(rules.annual_additions_limit, contributions.paid_cents),
            0
        ) as over_limit,
        case when rules.is_match_safe then 0 else contributions.match_amount end as open_match,
        case when rules.is_core_safe then 0 else contributions.core_formula_amount end + contributions.reallocated
            as open_core,
        case when rules.is_match_safe then contributions.match_amount else 0 end as safe_match,
        case when rules.is_core_safe then contributions.core_formula_amount else 0 end as safe_core
    from contributions
    cross join rules
    where
        contributions.deferral + contributions.after_tax
        + contributions.match_amount + contributions.core_formula_amount + contributions.reallocated > 0
),

turned as (
    select
        *,
        catch_up_before + least(over_limit, deferral - catch_up_before, catch_up_limit - catch_up_before) as catch_up,
        over_limit - least(over_limit, deferral - catch_up_before, catch_up_limit - catch_up_before) as excess
    from weighed
),

parted as (
    select
        *,
        greatest(deferral - catch_up - matched_deferral, 0) as unmatched_deferral,
        {{ roth_cents('deferral - catch_up') }}
        + case when is_catch_up_roth then catch_up else {{ roth_cents('catch_up') }} end as roth
    from turned
),

-- each source gives what is left of the excess after the sources whose turn comes before
first_cuts as (
    select
        *,
        least(
            after_tax,
            greatest(
                excess
                - case when core_turn < after_tax_turn then open_core else 0 end
                - case when match_turn < after_tax_turn then open_match else 0 end,
                0
            )
        ) as after_tax_cut,
        least(
            open_core,
            greatest(
                excess
                - case when after_tax_turn < core_turn then after_tax else 0 end
                - case when match_turn < core_turn then open_match else 0 end,
                0
            )
        ) as core_cut,
        least(
            open_match,
            greatest(
                excess
                - case when after_tax_turn < match_turn then after_tax else 0 end
                - case when core_turn < match_turn then open_core else 0 end,
                0
            )
        ) as match_cut
    from parted
),

rests as (
    select
        *,
        excess - after_tax_cut - core_cut - match_cut as rest
    from first_cuts
),

-- then the deferrals that earn no match give, and safe-harbor money what is still too much
last_cuts as (
    select
        employee_id,
        deferral - roth as pre_tax,
        roth,
        catch_up,
        after_tax,
        match_amount,
        core_formula_amount,
        reallocated,
        after_tax_cut,
        least(unmatched_deferral, rest) as deferral_cut,
        core_cut + least(
            safe_core,
            greatest(rest - unmatched_deferral - case when match_turn < core_turn then safe_match else 0 end, 0)
        ) as whole_core_cut,
        match_cut + least(
            safe_match,
            greatest(rest - unmatched_deferral - case when core_turn < match_turn then safe_core else 0 end, 0)
        ) as whole_match_cut
    from rests
)

select
    employee_id,
    {{ dollars('pre_tax - least(pre_tax, deferral_cut)') }} as pre_tax,
    {{ dollars('roth - greatest(deferral_cut - pre_tax, 0)') }} as roth,
    {{ dollars('catch_up') }} as catch_up,
    {{ dollars('after_tax - after_tax_cut') }} as after_tax,
    {{ dollars('match_amount - whole_match_cut') }} as match_amount,
    {{ dollars('core_formula_amount + reallocated - whole_core_cut') }} as core_amount,
    {{ dollars('greatest(reallocated - whole_core_cut, 0)') }} as reallocated,
    {{ dollars('deferral_cut + after_tax_cut') }} as contribution_cut,
    {{ dollars('whole_match_cut') }} as match_cut,
    {{ dollars('whole_core_cut') }} as core_cut
from last_cuts
