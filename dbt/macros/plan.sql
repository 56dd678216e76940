{#- The catch-up limit of somebody born in a year: none before the year of the 50th birthday; in the years of the 60th
    to 63rd the higher limit instead, where it is in force and the plan adopts it. Code section 414(v)(2). -#}
{% macro catch_up_limit(limits, birth_year) -%}
    case
        when {{ limits }}.limit_year - {{ birth_year }} < 50 then 0::decimal(18, 2)
        when
            {{ limits }}.limit_year - {{ birth_year }} between 60 and 63 and {{ param('super_catch_up') }}
            then coalesce({{ limits }}.super_catch_up_limit, {{ limits }}.catch_up_limit)
        else {{ limits }}.catch_up_limit
    end
{%- endmacro %}

{#- What somebody may defer without catch-up: the limit of 402(g) less what was deferred in another plan before. -#}
{% macro deferral_limit(people, limits) -%}
    greatest({{ limits }}.elective_deferral_limit - {{ people }}.deferred_elsewhere, 0)::decimal(18, 2)
{%- endmacro %}

{#- What a tier set is chosen by: completed years of service, points (age + service), age, or nothing. -#}
{% macro tier_value(tiers_by, age, service) -%}
    case {{ tiers_by }}
        when 'service' then {{ service }}
        when 'points' then {{ age }} + {{ service }}
        when 'age' then {{ age }}
        else 0
    end
{%- endmacro %}

{#- A deferral rate after a person's own change, the alias of a row of int_own_changes. -#}
{% macro changed_rate(rate, changes) -%}
    case {{ changes }}.change
        when 'raise' then greatest(
            {{ rate }},
            least({{ rate }} + {{ changes }}.increase, {{ param('maximum_deferral_rate') }})
        )
        when 'halve' then round({{ rate }} / 2, 6)
        else 0
    end::decimal(9, 6)
{%- endmacro %}

{#- The part of a deferral on which a tier, the alias of a row of stg_match_tiers, pays a match; not rounded. -#}
{% macro tier_deferral(deferral, pay) -%}
    (
        least({{ deferral }}::decimal(18, 8), {{ pay }} * tiers.upper_bound)
        - least({{ deferral }}::decimal(18, 8), {{ pay }} * tiers.lower_bound)
    )::decimal(18, 8)
{%- endmacro %}

{#- An account in USD with the year's return, from what was in it and what was paid in, in cents, for a row with
    return_days (the rate in millionths x days) and unit (two millions x days in the year). -#}
{% macro with_return(opening, paid_in) -%}
    case
        when return_days = 0 then {{ dollars(opening ~ ' + ' ~ paid_in) }}
        else {{ dollars(rounded_ratio(
            opening ~ ' * (unit + 2 * return_days) + ' ~ paid_in ~ ' * (unit + return_days)', 'unit'
        )) }}
    end
{%- endmacro %}

{#- Which gate of a contribution source stands in the way, the first that fails: 1,000 hours in the year, or employment
    at the close of 31 December (an exit on that day fails unless the plan counts it), from which retirement (an announced
    exit at the normal retirement age is one), leaving at 55 or older, death and disability may be excepted. The alias is
    of int_employment. -#}
{% macro failed_gate(people, source) -%}
    case
        when {{ param(source ~ '_hours_gate') }} and {{ people }}.hundredths_of_hours < 100000
            then 'hours_requirement'
        when
            {{ param(source ~ '_last_day_gate') }}
            and {{ people }}.termination_date is not null
            and not (
                {{ param(source ~ '_last_day_includes_exits_on') }}
                and {{ people }}.termination_date = make_date({{ param('simulation_year') }}, 12, 31)
            )
            and not (
                {{ param(source ~ '_retirement_exception') }}
                and (
                    {{ people }}.termination_reason = 'retirement'
                    or (
                        {{ people }}.termination_reason = 'announced'
                        and {{ people }}.age >= {{ param('normal_retirement_age') }}
                    )
                )
            )
            and not ({{ param(source ~ '_age_exception') }} and {{ people }}.age >= 55)
            and not (
                {{ param(source ~ '_death_exception') }}
                and {{ people }}.termination_reason = 'death'
            )
            and not (
                {{ param(source ~ '_disability_exception') }}
                and {{ people }}.termination_reason = 'disability'
            )
            then 'last_day_requirement'
    end
{%- endmacro %}

{#- Whether everything is vested whatever the service: at the normal retirement age, at death and at disability. -#}
{% macro is_fully_vested(age, termination_reason) -%}
    {{ age }} >= {{ param('normal_retirement_age') }}
            or coalesce({{ termination_reason }} in ('death', 'disability'), false)
{%- endmacro %}

{#- The day of the year from which somebody is eligible for a contribution source, in a row that has its entry date,
    is_excluded, as_of, first_day and year_start; null for who is not. -#}
{% macro eligible_from_day(source) -%}
    case
        when not is_excluded and {{ source }}_entry_date <= as_of
            then greatest(
                first_day,
                case when {{ source }}_entry_date < year_start then 1 else dayofyear({{ source }}_entry_date) end
            )
    end::integer
{%- endmacro %}

{#- Plan compensation of an employer source in cents, for a row of `eligible` with the year's limits: what is paid from
    the entry date on or in the whole year, at most the limit of section 401(a)(17). -#}
{% macro plan_pay_cents(source) -%}
    case
        when eligible.{{ source }}_from_day is null then 0
        else least(
            (limits.compensation_limit * 100)::bigint,
            case
                when {{ param('compensation_from') }} = 'plan_year'
                    then eligible.paid_cents - eligible.bonus_cents + eligible.plan_bonus_cents
                else {{ rounded_ratio(
                    pay_days('eligible', 'eligible.' ~ source ~ '_from_day'), 'eligible.days_in_year'
                ) }}
            end
        )
    end
{%- endmacro %}

{#- The Roth part by choice of a deferral in cents: the plan's share of it, to cents. -#}
{% macro roth_cents(deferral) -%}
    {{ rounded_ratio("(" ~ param('roth_share') ~ " * 1000000)::bigint * (" ~ deferral ~ ")", '1000000') }}
{%- endmacro %}

{#- Whether a window of automatic enrollment opens this year for somebody who first may join, for a row that has the
    hire date and the method of enrollment: who was ever enrolled has one. -#}
{% macro is_in_automatic_enrollment() -%}
    {{ param('automatic_enrollment_enabled') }}
    and enrollment_method is null
    and (
        {{ param('automatic_enrollment_scope') }} = 'all_eligible'
        or employee_hire_date >= {{ param('automatic_enrollment_cutoff') }}
    )
    and {{ param('automatic_enrollment_opens') }} <= make_date({{ param('simulation_year') }}, 12, 31)
{%- endmacro %}

{#- What is deferred from 1 January to a day of the year, within the limits of 402(g), 414(v) and the plan, in cents:
    for the alias of a row of int_eligibility with catch_up_limit and elective_deferral_limit, and a row `changed` with the
    rate x pay days of the changes by then. -#}
{% macro deferral_cents_by(people, to_day) -%}
    least(
        {{ rounded_ratio(
            "((case when " ~ people ~ ".pending_kind = 'opt_out' then 0 else " ~ people ~ ".opening_rate end)"
            ~ ' * 1000000)::bigint * ' ~ pay_days(people, people ~ '.deferral_from_day', to_day)
            ~ '::hugeint + coalesce(changed.rate_pay_days, 0)',
            people ~ '.days_in_year * 1000000::hugeint'
        ) }},
        least(
            ({{ people }}.elective_deferral_limit * 100)::bigint,
            {{ rounded_ratio(
                "(" ~ param('maximum_deferral_rate') ~ " * 1000000)::bigint * "
                ~ rounded_ratio(
                    pay_days(people, people ~ '.deferral_from_day', to_day), people ~ '.days_in_year'
                ),
                '1000000'
            ) }}
        )
        + ({{ people }}.catch_up_limit * 100)::bigint
    )::bigint
{%- endmacro %}

{#- The columns of the census by which the plan may exclude groups of people. -#}
{% macro excluded_kinds() -%}
    {{ return(['department', 'location', 'employee_class', 'sex']) }}
{%- endmacro %}

{#- The excluded names of each such column as lists, all of them and those whose benefits are bargained collectively,
    for rows of parameters.excluded_groups. -#}
{% macro excluded_names() -%}
    {%- for kind in excluded_kinds() -%}
        coalesce(list(name) filter (where kind = '{{ kind }}'), []) as {{ kind }}_names,
        coalesce(list(name) filter (where kind = '{{ kind }}' and collectively_bargained), []) as {{ kind }}_bargained
        {{- ',\n        ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- Whether somebody of the opening population or acquired this year, aliases opening and acquired, is in an excluded
    group; `which` are names or bargained. Who has no group is in none. -#}
{% macro is_in_excluded_group(which) -%}
    (
    {%- for kind in excluded_kinds() -%}
        {{ ' or ' if not loop.first -}}
        coalesce(
            list_contains(
                exclusions.{{ kind }}_{{ which }}, lower(trim(coalesce(opening.{{ kind }}, acquired.{{ kind }})))
            ),
            false
        )
    {%- endfor -%}
    )
{%- endmacro %}

{#- How many people of a standing benefit from a source, and how many count, for a row of int_coverage's people. -#}
{% macro coverage_counts(source, name, standing) -%}
    count(*) filter (where {{ standing }} and gets_{{ source }}) as {{ source }}_{{ name }}_benefiting,
    count(*) filter (
        where
        {{ standing }}
        and (is_overridden or {{ source }}_entry_date <= as_of)
        and (gets_{{ source }} or not is_short_leaver)
    ) as {{ source }}_{{ name }}_counted
{%- endmacro %}

{#- A column of the entry dates in force on 1 January: as fct_enrollment_state keeps it after a change of the rules,
    else as it was when the person entered the simulation. -#}
{% macro entry_in_force(column) -%}
    case when states.entry_dates_changed_in is null then people.{{ column }} else states.{{ column }} end as {{ column }}
{%- endmacro %}

{#- What a source of money was vested by before its schedule changed, which nobody falls below; null where it never
    did. -#}
{% macro vested_floor(source) -%}
    (case
        when
            {{ param('simulation_year') }} = {{ param('vesting_year') }}
            and {{ param('simulation_year') }} > {{ param('start_year') }}
            then greatest(snapshot.{{ source }}_vested_rate, states.{{ source }}_vested_floor)
        else states.{{ source }}_vested_floor
    end)::decimal(9, 6) as {{ source }}_vested_floor
{%- endmacro %}

{#- The entry date of a source, or the basis of it, after this year's rules: who had entered before a change stays
    in. -#}
{% macro entry_after_rules(column, date_column) -%}
    case
        when entries.employee_id is null or (entries.is_ruled_anew and opening.{{ date_column }} < calendar.year_start)
            then opening.{{ column }}
        else entries.{{ column }}
    end as {{ column }}
{%- endmacro %}

{#- The vested part of a source by completed years of service, for a person at the close or at exit: in full from the
    normal retirement age, never below what held before a change, and with three years of service on its day by the
    best of all schedules so far. Code section 411(a)(10). -#}
{% macro vested_rate(source) -%}
    (case
        when
            {{ is_fully_vested('people.age', 'people.termination_reason') }}
            or partial_termination.is_fully_vested
            then 1
        else greatest(
            case
                when
                    {{ param('vesting_year') }} > {{ param('start_year') }}
                    and people.employee_service_date + to_years(3) <= make_date({{ param('vesting_year') }}, 1, 1)
                    then tenures.{{ source }}_best_vested_rate
                else tenures.{{ source }}_vested_rate
            end,
            opening.{{ source }}_vested_floor
        )
    end)::decimal(9, 6) as {{ source }}_vested_rate
{%- endmacro %}

{#- What a source is vested by on this year's schedule. -#}
{% macro scheduled_rate(source) -%}
    max(schedules.vested_rate) filter (
        where
        schedules.contribution_source = '{{ source }}'
        and schedules.simulation_year = {{ param('configuration_year') }}
    )
{%- endmacro %}

{#- Whether somebody wants no automatic increases: by the census, or, of those enrolled in the simulation, by a lasting
    draw. -#}
{% macro refuses_escalation(employee_id, enrolled_on, by_census) -%}
    (
        {{ by_census }}
        or (
            coalesce({{ enrolled_on }} >= make_date({{ param('start_year') }}, 1, 1), false)
            and {{ draw(lasting_draw_key('escalation_opt_out', employee_id)) }}
            < {{ param('escalation_opt_out_rate') }}::double
        )
    )
{%- endmacro %}

{#- Whether automatic enrollment on the terms of a year is for somebody, for a row that has the hire date and the method
    of enrollment: who was ever enrolled has one, and with it an election, if only of 0 after a stop. -#}
{% macro is_on_terms(terms) -%}
    {{ terms }}.is_enabled
    and enrollment_method is null
    and ({{ terms }}.scope = 'all_eligible' or employee_hire_date >= {{ terms }}.hire_date_cutoff)
{%- endmacro %}

{#- A column of the entry dates of somebody whom a change of the rules gave others; null for everybody else. -#}
{% macro kept_entry(column) -%}
    case when people.entry_dates_changed_in is not null then people.{{ column }} end as {{ column }}
{%- endmacro %}
