{#- A place in a group or partition key for the worlds that one set of tables may hold side by side. A set holds one
    world today, so there is nothing to put there. -#}
{% macro world(prefix='') -%}{%- endmacro %}
