# What an installer left in the registry counts where the command line says nothing,
# and settings, keys and log are in ProgramData.
param([Parameter(Mandatory)] [string] $Agent)
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot 'lib\GuruConnect.psm1') -Force

$key = 'HKLM:\SOFTWARE\GuruConnect'
$folder = Join-Path $env:ProgramData 'GuruConnect'
if ((Test-Path $key) -or (Test-Path $folder)) { throw "GuruConnect is installed here already: $key, $folder" }
# Nobody listens on that port, which is all that this story needs.
$server = 'http://127.0.0.1:9'
$running = $null
try {
    New-Item -Path $key | Out-Null
    Set-ItemProperty -Path $key -Name Server -Value $server

    $running = Start-Process (Resolve-Path $Agent) -ArgumentList '--token', 'enr_story' -PassThru -WindowStyle Hidden

    $log = Join-Path $folder 'Logs\agent.log'
    Wait-Until 'the server of the registry in the log' {
        (Test-Path $log) -and (Select-String -Path $log -Pattern $server -SimpleMatch -Quiet)
    }
    Assert-True ((Get-Acl $folder).AreAccessRulesProtected) "$folder is private"
} finally {
    if ($running) { Stop-Process -Id $running.Id -Force -ErrorAction SilentlyContinue; $running.WaitForExit() }
    Remove-Item -Recurse -Force $key, $folder -ErrorAction SilentlyContinue
}
Write-Host 'ok: settings come from the registry'
