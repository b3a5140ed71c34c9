# The agent's key can be read by the system, administrators and the agent's own
# account, and by nobody else; a folder that somebody else laid out is refused.
param([Parameter(Mandatory)] [string] $Agent)
$ErrorActionPreference = 'Stop'
Import-Module (Join-Path $PSScriptRoot 'lib\GuruConnect.psm1') -Force

$helper = Get-TestTool 'windows-helper'
$shared = Join-Path $env:ProgramData ('guruconnect-test-' + [guid]::NewGuid())
$user = 'gc-' + [guid]::NewGuid().ToString('N').Substring(0, 12)
# Of more than 14 characters `net user` asks whether they are meant.
$password = 'Aa1!' + [guid]::NewGuid().ToString('N').Substring(0, 10)
New-Item -ItemType Directory -Path $shared | Out-Null
try {
    $folder = Join-Path $shared 'private'
    Invoke-Program $helper @('make-private', $folder) | Out-Null

    $me = [System.Security.Principal.WindowsIdentity]::GetCurrent().User.Value
    $allowed = @('S-1-5-18', 'S-1-5-32-544', $me) | Sort-Object -Unique
    foreach ($path in $folder, (Join-Path $folder 'secret.txt')) {
        $acl = Get-Acl $path
        Assert-True $acl.AreAccessRulesProtected "$path takes over nothing from the folder around it"
        $rules = $acl.GetAccessRules($true, $true, [System.Security.Principal.SecurityIdentifier])
        $named = @($rules | ForEach-Object { $_.IdentityReference.Value }) | Sort-Object -Unique
        Assert-Equal ($named -join ' ') ($allowed -join ' ') "who is named for $path"
    }

    # The same, asked by somebody who tries.
    # Not New-LocalUser, which some versions of PowerShell 7 cannot load.
    Invoke-Program net.exe @('user', $user, $password, '/add') | Out-Null
    $secure = ConvertTo-SecureString $password -AsPlainText -Force
    $credential = New-Object System.Management.Automation.PSCredential ("$env:COMPUTERNAME\$user", $secure)
    $secret = Join-Path $folder 'secret.txt'
    $probe = Start-Process cmd.exe -ArgumentList "/c type `"$secret`"" -Credential $credential `
        -WorkingDirectory $env:SystemRoot -Wait -PassThru -WindowStyle Hidden
    Assert-True ($probe.ExitCode -ne 0) 'an ordinary user cannot read the secret'

    # A folder that belongs to that user cannot be made private: its owner could always undo it.
    $trap = Join-Path $shared 'trap'
    New-Item -ItemType Directory -Path $trap | Out-Null
    Invoke-Program icacls.exe @($trap, '/setowner', "$env:COMPUTERNAME\$user") | Out-Null
    Invoke-Program $helper @('make-private', $trap) -ExitCode 1 | Out-Null
} finally {
    Test-Program net.exe @('user', $user, '/delete') | Out-Null
    Remove-Item -Recurse -Force $shared
}
Write-Host 'ok: private files are private'
