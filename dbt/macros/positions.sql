{#- How many people are promoted into a level, for a row of int_positions.drawn out of which so many are promoted. -#}
{% macro promoted_in(promoted_out) -%}
    least(
        drawn.candidates_below,
        floor(
            (drawn.fill_share * greatest(drawn.positions - drawn.stayers + {{ promoted_out }}, 0))::double + drawn.fill_draw
        )::bigint
    )
{%- endmacro %}
