# Explorer shows what the program is, and Windows what it asks for.
param([Parameter(Mandatory)] [string] $Agent)
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot 'lib\GuruConnect.psm1') -Force

$about = (Get-Item $Agent).VersionInfo
Assert-Equal $about.ProductName 'GuruConnect' 'the product'
Assert-Equal $about.FileDescription 'GuruConnect Agent' 'the description'
Assert-Equal $about.OriginalFilename 'guruconnect-agent.exe' 'the name'

$printed = Invoke-Program $Agent @('--version')
Assert-True ($printed.Contains($about.ProductVersion)) "version $($about.ProductVersion) in '$printed'"

$text = [System.Text.Encoding]::UTF8.GetString([System.IO.File]::ReadAllBytes((Resolve-Path $Agent)))
foreach ($asked in 'level="asInvoker"', 'PerMonitorV2', 'longPathAware', '>UTF-8<') {
    Assert-True ($text.Contains($asked)) "a manifest with $asked"
}
Assert-True ((Get-Item $Agent).Length -lt 5000000) 'a program of less than 5 MB'
Write-Host 'ok: the program says what it is'
