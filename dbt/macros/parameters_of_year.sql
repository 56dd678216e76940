{#- The rows of a parameter table that hold in the simulated year: those of the first year that has its configuration.
    Models that read nothing else of the year are built again only when the configuration changes. -#}
{% macro parameters(table) -%}
    (
        select *
        from {{ source('parameters', table) }}
        where simulation_year = {{ param('configuration_year') }}
    )
{%- endmacro %}
